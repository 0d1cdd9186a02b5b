#!/usr/bin/env bash
# The main job: every source found below INPUT, with the models that CommonCrawl needs made on the
# way. Wikipedia's text trains the language models, and its citations find the pages that the
# reference classifier learns from.
#
#   tools/run_all.sh INPUT OUTPUT RECIPE WORKERS
set -euo pipefail
input=$1 output=$2 recipe=$3 workers=$4

found=0
for source in wikipedia commoncrawl; do
    [ -d "$input/$source" ] && found=1
done
[ "$found" = 1 ] || {
    echo "run: there is no subfolder wikipedia or commoncrawl in '$input'" >&2
    exit 2
}

models=(
    --set "models.language_models=\"$output/models/language\""
    --set "models.reference_model=\"$output/models/reference\""
)
run() { # SOURCE [OPTION...]
    local source=$1
    shift
    roving run "$source" --input "$input/$source" --output "$output/$source" \
        --recipe "$recipe" --workers "$workers" "${models[@]}" "$@"
}

if [ -d "$input/wikipedia" ]; then
    echo "== wikipedia"
    run wikipedia
fi

if [ -d "$input/commoncrawl" ]; then
    unscored=()
    if [ -d "$input/wikipedia" ]; then
        echo "== commoncrawl, without models: the reference sample for the cut-offs"
        run commoncrawl --set commoncrawl.perplexity.enabled=false \
            --set commoncrawl.reference_quality.enabled=false >/dev/null
        echo "== language models from Wikipedia"
        roving models language --recipe "$recipe" "${models[@]}" \
            --documents "$output/wikipedia" --reference "$output/commoncrawl" || {
            echo "run: going on without perplexity" >&2
            unscored+=(--set commoncrawl.perplexity.enabled=false)
        }
        echo "== reference classifier from the pages that Wikipedia cites"
        roving models reference --recipe "$recipe" "${models[@]}" \
            --documents "$output/commoncrawl" --citations "$output/wikipedia" || {
            echo "run: going on without the reference classifier" >&2
            unscored+=(--set commoncrawl.reference_quality.enabled=false)
        }
    else
        echo "run: no wikipedia in '$input': CommonCrawl without perplexity and reference stages" >&2
        unscored=(
            --set commoncrawl.perplexity.enabled=false
            --set commoncrawl.reference_quality.enabled=false
        )
    fi
    echo "== commoncrawl"
    run commoncrawl ${unscored[@]+"${unscored[@]}"}
fi
echo
echo "results: $output/{wikipedia,commoncrawl}/documents/*.parquet; look with"
echo "  roving shards head $output/commoncrawl"
