#!/usr/bin/env bash
# The main job: every source found below INPUT, with the models that CommonCrawl needs made on the
# way. Wikipedia's text trains the language models, and its citations find the pages that the
# reference classifier learns from. Models that are there are used as they are. Then all sources
# together: near-duplicates, tokenizer, tokens, mixture, and a small model.
#
#   tools/run_all.sh INPUT OUTPUT RECIPE WORKERS [TRAINING_STEPS]      (0: no model)
set -euo pipefail
input=$1 output=$2 recipe=$3 workers=$4 training_steps=${5:-120}
too_little_data=3 # exit status of `roving models` where the input is too small for a model

models=(
    --set "models.language_models=\"$output/models/language\""
    --set "models.reference_model=\"$output/models/reference\""
)
without=() # stages of CommonCrawl that this input cannot have

run() { # SOURCE [OPTION...]
    local source=$1
    shift
    roving run "$source" --input "$input/$source" --output "$output/$source" \
        --recipe "$recipe" --workers "$workers" "${models[@]}" "$@"
}

make_model() { # KIND STAGE OPTION...
    local kind=$1 stage=$2 status=0
    shift 2
    roving models "$kind" --recipe "$recipe" "${models[@]}" "$@" || status=$?
    [ "$status" = 0 ] && return
    [ "$status" = "$too_little_data" ] || exit "$status"
    echo "run: going on without $stage" >&2
    without+=(--set "commoncrawl.$stage.enabled=false")
}

make_models() {
    if [ -f "$output/models/.made" ]; then
        echo "== models: those in $output/models are used; delete the folder to make them again"
        [ -f "$output/models/reference/card.json" ] ||
            without+=(--set commoncrawl.reference_quality.enabled=false)
        compgen -G "$output/models/language/*/card.json" >/dev/null ||
            without+=(--set commoncrawl.perplexity.enabled=false)
        return
    fi
    echo "== commoncrawl without models: the pages that models are made from"
    run commoncrawl --set commoncrawl.perplexity.enabled=false \
        --set commoncrawl.reference_quality.enabled=false >/dev/null
    echo "== language models from Wikipedia, their cut-offs from the crawl"
    make_model language perplexity \
        --documents "$output/wikipedia" --reference "$output/commoncrawl"
    echo "== reference classifier from the pages that Wikipedia cites"
    make_model reference reference_quality \
        --documents "$output/commoncrawl" --citations "$output/wikipedia"
    mkdir -p "$output/models"
    touch "$output/models/.made"
}

known=(wikipedia commoncrawl) # in this order, for the models; of copies the first one stays
for folder in "$(dirname "$0")"/../pipeline/sources/*/source.py; do
    source=$(basename "$(dirname "$folder")")
    [[ " ${known[*]} " = *" $source "* ]] || known+=("$source")
done
sources=()
for source in "${known[@]}"; do
    [ ! -d "$input/$source" ] || sources+=("$source")
done
if [ ${#sources[@]} = 0 ]; then
    echo "run: there is no subfolder for a source in '$input': ${known[*]}" >&2
    exit 2
fi
if [ -d "$input/wikipedia" ]; then
    echo "== wikipedia"
    run wikipedia
fi
if [ -d "$input/commoncrawl" ]; then
    if [ -d "$input/wikipedia" ]; then
        make_models
    else
        echo "run: no wikipedia in '$input': CommonCrawl without perplexity and reference" >&2
        without+=(
            --set commoncrawl.perplexity.enabled=false
            --set commoncrawl.reference_quality.enabled=false
        )
    fi
    echo "== commoncrawl"
    run commoncrawl ${without[@]+"${without[@]}"}
fi
datasets=()
for source in "${sources[@]}"; do
    if [ "$source" != wikipedia ] && [ "$source" != commoncrawl ]; then
        echo "== $source"
        run "$source"
    fi
    datasets+=(--input "$output/$source")
done
echo "== near-duplicates within and between sources"
roving dedup minhash "${datasets[@]}" --output "$output/deduplicated" \
    --recipe "$recipe" --workers "$workers"
documents=()
for source in "${sources[@]}"; do documents+=(--documents "$output/deduplicated/$source"); done
echo "== tokenizer"
roving tokenizer train "${documents[@]}" --output "$output/models/tokenizer" \
    --recipe "$recipe" --workers "$workers"
echo "== tokens"
roving tokenize "${documents[@]}" --tokenizer "$output/models/tokenizer" \
    --output "$output/tokens" --recipe "$recipe" --workers "$workers"
echo "== the mixture, if a small model were trained on a million tokens"
roving mixture plan "$output/tokens" --tokens 1M --window 256 --recipe "$recipe"
if [ "$training_steps" = 0 ]; then exit; fi
echo "== a small model, to see that it learns"
rm -rf "$output/training"
roving train run recipes/training/sample.toml output="$output/training" \
    "data.tokens=['$output/tokens']" "data.tokenizer='$output/models/tokenizer'" \
    training.steps="$training_steps"
roving train sample "$output/training" --prompt "The " --tokens 100
echo
echo "results: documents in $output/deduplicated/*/documents/*.parquet, tokens in $output/tokens,"
echo "  the model and its loss curve in $output/training; look into them with"
echo "  .venv/bin/roving shards head $output/deduplicated/${sources[0]}"
