# Nibble in a container. `docker build -t nibble .` makes the image for the CPU; `--target cuda` the one for NVIDIA GPUs.
#   docker run --rm -v "$PWD:/work" nibble train my-recipe.yaml

FROM eclipse-temurin:25-jdk AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends maven \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN mvn -q -B -ntp -pl cli -am -Dmaven.test.skip=true package
# What the launcher needs, without sources: then it has nothing to build.
RUN mkdir -p /opt/nibble/recipes /opt/nibble/cli/target \
    && cp -r nibble LICENSE THIRD-PARTY.md examples /opt/nibble/ \
    && rm -rf /opt/nibble/examples/src /opt/nibble/examples/target /opt/nibble/examples/pom.xml \
    && cp recipes/*.yaml /opt/nibble/recipes/ \
    && cp -r cli/target/classes cli/target/lib cli/target/nibble.jvm /opt/nibble/cli/target/

# Needs the NVIDIA driver and container toolkit on the host, and `docker run --gpus all`.
FROM nvidia/cuda:13.0.1-runtime-ubuntu24.04 AS cuda
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/java/openjdk /opt/java/openjdk
COPY --from=build /opt/nibble /opt/nibble
ENV NIBBLE_JAVA_HOME=/opt/java/openjdk LANG=C.UTF-8
WORKDIR /work
ENTRYPOINT ["/opt/nibble/nibble"]
CMD ["--help"]

# Last, so that it is what a build without --target makes.
FROM eclipse-temurin:25-jdk AS cpu
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/nibble /opt/nibble
ENV NIBBLE_JAVA_HOME=/opt/java/openjdk LANG=C.UTF-8
WORKDIR /work
ENTRYPOINT ["/opt/nibble/nibble"]
CMD ["--help"]
