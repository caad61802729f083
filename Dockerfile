# One image for every role; the command names the role: nod web, nod worker, nod slack, nod discord, nod migrate.
FROM python:3.11-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /app
ENV UV_LINK_MODE=copy VIRTUAL_ENV=/app/.venv
COPY requirements.lock ./
RUN uv venv .venv && uv pip install --require-hashes -r requirements.lock
COPY . .
RUN uv pip install --no-deps .

FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends git tesseract-ocr tesseract-ocr-kor && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 nod && install -d -o nod -g nod /data
COPY --from=build /app/.venv /app/.venv
COPY docs /app/docs
WORKDIR /app
USER nod
ENV PATH=/app/.venv/bin:$PATH NOD_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
CMD ["nod", "web"]
