# Wheels are made in the first stage; the second holds them installed, and nothing that builds.
FROM python:3.13-slim AS build
WORKDIR /src
# The tested versions first: this layer stays while only the code changes.
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/roost \
 && python -m pip --python /opt/roost/bin/python install --no-cache-dir --no-compile --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE schema.sql ./
COPY roost roost
COPY tasks tasks
COPY workers workers
COPY asterisk asterisk
COPY freepbx freepbx
COPY kamailio kamailio
RUN python -m pip --python /opt/roost/bin/python install --no-cache-dir --no-compile --no-deps .

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --home-dir /run/roost --shell /usr/sbin/nologin roost
COPY --from=build /opt/roost /opt/roost
ENV PATH=/opt/roost/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# An empty folder, so that no `.env` is found: in a container all settings come from the environment.
WORKDIR /run/roost
USER 10001
CMD ["roost", "--help"]
