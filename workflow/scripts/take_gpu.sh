# Sourced by a job:  . take_gpu.sh WANTED GPU...
# Takes one of the GPUs that no other job of this user has taken, and shows the job no other one.
# The lock ends with the last process of the job, however that ends. Where all are taken, or
# where `flock` is not there, nothing changes.
if [ "$1" -gt 0 ] && command -v flock > /dev/null; then
    shift
    for gpu in "$@"; do
        exec {gpu_lock}> "${TMPDIR:-/tmp}/restore-hsi-$(id -u)-gpu-$gpu.lock"
        if flock -n "$gpu_lock"; then
            export CUDA_VISIBLE_DEVICES=$gpu
            break
        fi
        exec {gpu_lock}>&-
    done
fi
