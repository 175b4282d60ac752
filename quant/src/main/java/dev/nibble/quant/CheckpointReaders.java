package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;

/** Asks every {@link CheckpointReader} on the class path. */
public final class CheckpointReaders {
  private CheckpointReaders() {}

  private static List<CheckpointReader> installed() {
    return ServiceLoader.load(CheckpointReader.class).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  /**
   * The weights of a checkpoint that it stores in a format; without a format, when it has none.
   *
   * @throws UnusableWeight when they are damaged, or of several kinds
   */
  public static StoredWeights find(StoredTensors checkpoint) {
    List<StoredWeights> found =
        installed().stream().flatMap(reader -> reader.find(checkpoint).stream()).toList();
    if (found.size() > 1) {
      throw new UnusableWeight(
          "the checkpoint holds weights in several formats: %s; expected one for all"
              .formatted(
                  found.stream()
                      .map(s -> s.format().map(WeightFormat::describe).orElseThrow())
                      .collect(Collectors.joining("; "))));
    }
    return found.isEmpty() ? new AllDense() : found.getFirst();
  }

  /**
   * What the {@code quantization_config} of a config.json tells of a format, see {@link
   * CheckpointLayout#summary}.
   *
   * @throws RuntimeException {@link ConfigSection#wrong} of a key, when no reader reads it
   */
  public static String summary(ConfigSection config) {
    List<CheckpointReader> readers = installed();
    return readers.stream()
        .flatMap(reader -> reader.summary(config).stream())
        .findFirst()
        .orElseThrow(() ->
            config.wrong(
                "quant_method",
                readers.stream().map(CheckpointReader::reads).collect(Collectors.joining(", "))
                    + ", and models that are not quantised"));
  }

  /** A checkpoint that is not quantised. */
  private record AllDense() implements StoredWeights {
    @Override
    public Optional<WeightFormat> format() {
      return Optional.empty();
    }

    @Override
    public Set<String> names() {
      return Set.of();
    }

    @Override
    public Optional<Shape> shape(String weight) {
      return Optional.empty();
    }

    @Override
    public Set<String> companions() {
      return Set.of();
    }

    @Override
    public Loader loader(Kernels kernels, Scope scope) {
      return weight -> {
        throw new IllegalArgumentException(weight + " is dense");
      };
    }
  }
}
