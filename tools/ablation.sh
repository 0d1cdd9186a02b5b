#!/usr/bin/env bash
# Does the pipeline's output teach a small model more than its input does? Two arms of the same
# files: raw, what the readers give; curated, the documents that tools/run_all.sh left in OUTPUT (it
# is run if there are none). Both are judged on OUTSIDE: texts (*.txt, *.md, JSON Lines) that are
# not in INPUT, a folder of them or a folder for each kind. docs/ablation.md says more.
#
#   tools/ablation.sh INPUT OUTSIDE OUTPUT RECIPE WORKERS [OPTION of `roving train ablate`...]
set -euo pipefail
input=$1 outside=$2 output=$3 recipe=$4 workers=$5
shift 5
work=$output/ablation

tokens() { # OUTPUT VALIDATION_SHARE [LABEL=]DATASET...
    local folder=$1 share=$2
    shift 2
    roving tokenize --documents "$@" --tokenizer "$work/tokenizer" --output "$folder" \
        --set tokens.validation_share="$share" --recipe "$recipe" --workers "$workers" >/dev/null
}

[ -d "$outside" ] || { echo "there is no folder $outside of texts to judge on" >&2 && exit 2; }
compgen -G "$output/deduplicated/*/manifest.json" >/dev/null ||
    tools/run_all.sh "$input" "$output" "$recipe" "$workers"

rm -rf "$work/outside" "$work/tokens/outside" # a kind that was there before would be judged too
judged=()
kinds=("$outside") # with files in it, or else folders of them
[ -n "$(find "$outside" -maxdepth 1 -type f -print -quit)" ] || kinds=("$outside"/*/)
for folder in "${kinds[@]}"; do
    kind=$(basename "$folder")
    python tools/raw_documents.py texts "$folder" "$work/outside/$kind"
    judged+=("$work/outside/$kind")
done
raw=() curated=() mixed=() shares=()
for manifest in "$output"/deduplicated/*/manifest.json; do
    source=$(basename "$(dirname "$manifest")")
    echo "== raw $source"
    case $source in
    wikipedia | github | c4)
        roving run "$source" --input "$input/$source" --output "$work/raw/$source" \
            --recipe recipes/raw.toml --workers "$workers" | tail -n 1
        ;;
    *) python tools/raw_documents.py "$source" "$input/$source" "$work/raw/$source" ;;
    esac
    raw+=("$work/raw/$source") curated+=("$output/deduplicated/$source")
    mixed+=("raw_$source=$work/raw/$source" "curated_$source=$output/deduplicated/$source")
    shares+=("raw_$source=1" "curated_$source=1")
done
echo "== tokenizer of all arms, as much of each source, raw and curated"
[ -f "$work/tokenizer/tokenizer.model" ] ||
    roving tokenizer train --documents "${mixed[@]}" --output "$work/tokenizer" \
        --set "mixture.shares={$(IFS=, && echo "${shares[*]}")}" \
        --set tokenizer.vocabulary_size=4000 --set tokenizer.sample_bytes=10_000_000 \
        --recipe "$recipe" --workers "$workers"
echo "== tokens"
tokens "$work/tokens/raw" 0.1 "${raw[@]}"
tokens "$work/tokens/curated" 0.1 "${curated[@]}"
tokens "$work/tokens/outside" 0 "${judged[@]}"
echo "== training and judging"
roving train ablate recipes/training/ablation.toml --arm raw="$work/tokens/raw" \
    --arm curated="$work/tokens/curated" --outside "$work/tokens/outside" \
    --output "$work/report" "data.tokenizer='$work/tokenizer'" "$@"
