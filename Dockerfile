# The commands restore, hsi and snakemake, with the versions of constraints.txt:
#   docker build -t restore-hsi .
#   docker run --rm -v "$PWD":/work restore-hsi restore denoise photos clean
# or  apptainer build restore-hsi.sif docker-daemon://restore-hsi:latest
# torch is the build for CPUs; for GPUs leave the line with --index-url out.
FROM python:3.11-slim
WORKDIR /opt/restore-hsi
COPY . .
RUN pip install --no-cache-dir -c constraints.txt torch --index-url https://download.pytorch.org/whl/cpu \
    && pip install --no-cache-dir -c constraints.txt '.[geotiff]'
WORKDIR /work
