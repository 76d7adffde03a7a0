# shellcheck shell=bash
# The steps of gpu_check.sh: each fails by its exit status and shows why. Sourced after it has set BUILD, FOLDER, JSON and MODEL.

FIGURES=$HERE/lib/gpu_figures.py

# note STEP SECONDS [KEY=VALUE...]: a line here, and one more step in the JSON.
note() { python3 "$FIGURES" note "$JSON" "$@"; }

# logged LOG COMMAND...: what it prints goes to FOLDER/LOG, and the end of that is shown where it fails.
logged() {
  local log=$FOLDER/$1 status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || tail -n 40 "$log" >&2
  return "$status"
}

require_gpu() {
  local found=""
  if command -v nvidia-smi >/dev/null; then found=$(nvidia-smi -L 2>/dev/null) || found=""; fi
  found=${found%%$'\n'*}
  if [[ $found != GPU* ]]; then
    printf 'gpu_check.sh: there is no GPU here (nvidia-smi lists none); run this on a machine that has one\n' >&2
    exit 3
  fi
  command -v python3 >/dev/null || die "python3 is not here; it writes the JSON and reads the reports"
  note device 0 "gpu=$found" "driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | sort -u | tr '\n' ' ')" \
    "date=$(date -u +%Y-%m-%dT%H:%M:%SZ)" "cores=$(cores)" "disk=$(df -h --output=avail "$FOLDER" | tail -n 1 | tr -d ' ')"
}

build_if_needed() {
  local start=$SECONDS
  if [ ! -x "$BUILD/koine" ] || [ ! -e "$BUILD/libkoine_cuda.so" ] || [ ! -x "$BUILD/tests/parity/parity_tests" ]; then
    quietly "$BUILD/configure.log" cmake --preset cuda "-DCMAKE_CUDA_ARCHITECTURES=$(cuda_architecture)" ||
      die "CMake could not configure"
    quietly "$BUILD/build.log" cmake --build --preset cuda --parallel "$(cores)" --target koine koine_cuda cuda_tests parity_tests ||
      die "the build failed"
  fi
  note build "$(seconds_since "$start")" "commit=$("$BUILD/koine" --version)"
}

# What libkoine_cuda.so finds, and NCCL; without the first nothing that follows can work.
note_libraries() {
  "$BUILD/koine" --version --json >"$FOLDER/version.json"
  python3 "$FIGURES" libraries_found "$JSON" "$FOLDER/version.json"
}

# run_cases NAME PROGRAM: every case must run and pass. What only an emulated device can do is left out.
run_cases() {
  local start=$SECONDS log=$FOLDER/$1.log status=0 passed skipped
  OPENBLAS_NUM_THREADS=1 KOINE_CUDA_LIBRARY=$BUILD/libkoine_cuda.so \
    logged "$1.log" within 180 "$2" --gtest_filter=-'*WhatASolverSays*:DeviceGram.Rates' || status=$?
  passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log")
  skipped=$(grep -c '^\[  SKIPPED \] .* (' "$log" || true)
  note "$1" "$(seconds_since "$start")" "passed=${passed:-0}" "skipped=$skipped" "status=$status"
  [ "$skipped" -eq 0 ] || grep '^\[  SKIPPED \]' "$log" >&2
  [ "$status" -eq 0 ] && [ "$skipped" -eq 0 ] && [ "${passed:-0}" -gt 0 ]
}

# rates_of_gram [VARIABLE=VALUE]: the words that DeviceGram.Rates prints.
rates_of_gram() {
  OPENBLAS_NUM_THREADS=1 KOINE_CUDA_LIBRARY=$BUILD/libkoine_cuda.so \
    logged gram_rates.log within 60 env "$@" "$BUILD/tests/parity/parity_tests" --gtest_filter='DeviceGram.Rates' || return 1
  sed -n 's/^gram rates: //p' "$FOLDER/gram_rates.log"
}

# gram_rates: both ways to sum a Gram matrix, the one that is taken on this device, and what float64 does in cuBLAS' pedantic mode,
# which that variable is answered with.
gram_rates() {
  local start=$SECONDS rates pedantic
  rates=$(rates_of_gram)
  pedantic=$(rates_of_gram CUBLAS_EMULATE_DOUBLE_PRECISION=1)
  if [ -z "$rates" ] || [ -z "$pedantic" ]; then
    tail -n 40 "$FOLDER/gram_rates.log" >&2
    return 1
  fi
  # shellcheck disable=SC2086 # words of it
  note "gram rates" "$(seconds_since "$start")" $rates "pedantic_${pedantic%% *}"
}

# over_nccl PROCESSES: a small merge whose statistics NCCL adds up.
over_nccl() {
  local start=$SECONDS log=$FOLDER/nccl$1.log
  [ -e "$FOLDER/tiny/lors.yaml" ] ||
    logged synth_tiny.log within 60 "$BUILD/koine" synth --quiet --model tiny --experts 2 --output "$FOLDER/tiny"
  rm -rf "${FOLDER:?}/nccl$1"
  logged "nccl$1.log" within 90 mpirun -n "$1" "$BUILD/koine" merge "$FOLDER/tiny/lors.yaml" --output "$FOLDER/nccl$1" \
    --backend cuda --transport nccl -v
  grep -q 'transport nccl' "$log" || {
    tail -n 40 "$log" >&2
    return 1
  }
  note "nccl on $1" "$(seconds_since "$start")" "processes=$1"
}

# What the storage gives and takes, all cores at once.
storage_rates() {
  within 60 "$BUILD/koine" bench --only page_cache_read,write_fsync --threads "$(cores)" --repeats 3 --json --scratch "$FOLDER" \
    >"$FOLDER/storage.jsonl"
  python3 "$FIGURES" storage "$JSON" "$FOLDER/storage.jsonl"
}

make_models() {
  local start=$SECONDS
  [ -e "$FOLDER/models/lors.yaml" ] ||
    logged synth.log within 240 "$BUILD/koine" synth --quiet --model "$MODEL" --experts 5 --dtype fp16 --output "$FOLDER/models"
  note synth "$(seconds_since "$start")" "model=$MODEL"
}

# merge NAME ARGUMENT...: a fresh run folder FOLDER/NAME.
merge() {
  local name=$1 start=$SECONDS
  shift
  rm -rf "${FOLDER:?}/$name"
  logged "$name.log" within 150 "$BUILD/koine" merge "$FOLDER/models/lors.yaml" --output "$FOLDER/$name" --set out_dtype=float16 \
    --json "$@"
  python3 "$FIGURES" merged "$JSON" "$FOLDER/$name" "$(seconds_since "$start")"
}

# same_files NAME OTHER: all files of the merge 'cuda' that may not differ.
same_files() {
  cmp "$FOLDER/cuda/SHA256SUMS" "$FOLDER/$2/SHA256SUMS"
  note "$1" 0 "equal=true"
}

merge_again() {
  merge again --backend cuda
  same_files "same bytes twice" again
  rm -rf "${FOLDER:?}/again"
}

# Nothing else on the device, and what loads when it is first used loaded before: what its kernels take.
merge_lane() {
  CUDA_MODULE_LOADING=EAGER merge lane --backend cuda --threads 1
  same_files "same bytes on one thread" lane
  rm -rf "${FOLDER:?}"/lane/{model.h5,shards}
}

two_processes() {
  local start=$SECONDS
  rm -rf "${FOLDER:?}/ranks"
  logged ranks.log within 150 mpirun -n 2 "$BUILD/koine" merge "$FOLDER/models/lors.yaml" --output "$FOLDER/ranks" \
    --set out_dtype=float16 --backend cuda --transport mpi
  same_files "same bytes on two processes" ranks
  rm -rf "${FOLDER:?}/ranks"
  note "two processes" "$(seconds_since "$start")"
}

compare_with_cpu() {
  local start=$SECONDS status=0
  within 60 "$BUILD/koine" diff --json "$FOLDER/cpu" "$FOLDER/cuda" >"$FOLDER/diff.json" || status=$?
  [ "$status" -eq 0 ] || [ "$status" -eq 5 ]
  python3 "$FIGURES" compare "$JSON" "$FOLDER/diff.json" "$FOLDER/cpu" "$FOLDER/cuda" "$(seconds_since "$start")"
}

# A share of the tensors merged again on the CPU: what differs may do so by as much as a threshold.
recomputed_by_cpu() {
  local start=$SECONDS
  logged band.log within 60 "$BUILD/koine" verify "$FOLDER/cuda" --recompute 2% --sample 1%
  note "in the band" "$(seconds_since "$start")" "says=$(grep checked "$FOLDER/band.log")"
}

with_pytorch() {
  LD_LIBRARY_PATH=$THEIR_LIBRARIES within 150 python3 "$HERE/lib/gpu_torch.py" "$JSON" "$FOLDER/models" "$FOLDER/lane"
}

# with_sanitizer TOOL NAME PROGRAM [ARGUMENT...]: slowly, under compute-sanitizer where that is here and takes this device.
with_sanitizer() {
  local tool=$1 name="sanitizer $1 $2" start=$SECONDS log=$FOLDER/sanitizer_$1_$2.log status=0 sanitizer
  shift 2
  sanitizer=$(PATH=$PATH:/usr/local/cuda/bin:/usr/local/cuda/compute-sanitizer command -v compute-sanitizer) || sanitizer=""
  if [ -z "$sanitizer" ]; then
    note "$name" 0 "found=false"
    return
  fi
  OPENBLAS_NUM_THREADS=1 KOINE_CUDA_LIBRARY=$BUILD/libkoine_cuda.so \
    within 120 "$sanitizer" --tool "$tool" --error-exitcode 9 "$@" >"$log" 2>&1 || status=$?
  note "$name" "$(seconds_since "$start")" "status=$status" \
    "errors=$(sed -n 's/.*SUMMARY: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)"
  [ "$status" -eq 0 ] || grep -q 'Device not supported' "$log" || {
    tail -n 40 "$log" >&2
    return "$status"
  }
}
