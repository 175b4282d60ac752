package dev.nibble.trainer.model.config;

import dev.nibble.compute.files.FolderLinks;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.StoredWeights;
import dev.nibble.trainer.model.ModelException;
import java.nio.file.Path;
import java.util.Optional;

/** The {@code quantization_config} of a config.json beside what the tensors are. */
public final class QuantizationConfig {
  private static final String KEY = "quantization_config";

  private QuantizationConfig() {}

  /**
   * What a model's folder tells of the format of its weights; empty for a model that is not
   * quantised.
   *
   * @throws ModelException when it was quantised by a method that is not read
   */
  public static Optional<String> summary(Path folder) {
    FolderLinks.check(folder);
    ConfigJson config = ConfigJson.read(folder.resolve("config.json"));
    return config.object(KEY).map(CheckpointReaders::summary);
  }

  /**
   * Compares what config.json says with what the tensors are.
   *
   * @throws ModelException when they contradict each other
   */
  public static void check(Path folder, StoredWeights tensors) {
    Optional<String> said = summary(folder);
    Optional<String> found = tensors.format().map(f -> f.layout().summary());
    if (!said.equals(found)) {
      throw new ModelException(
          "%s: %s, but %s"
              .formatted(
                  folder.resolve("config.json"),
                  said.map(s -> "\"%s\" says %s".formatted(KEY, s))
                      .orElse("there is no \"%s\"".formatted(KEY)),
                  found.map(f -> "the tensors are in " + f).orElse("no tensor is quantised")));
    }
  }
}
