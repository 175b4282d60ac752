package dev.nibble.trainer.model.config;

import dev.nibble.trainer.model.ModelException;
import java.nio.file.Path;

/** The family and sizes of a model, without weights. */
public final class ModelShape {
  private final ModelConfig config;

  private ModelShape(ModelConfig config) {
    this.config = config;
  }

  /**
   * The shape of the model in a folder.
   *
   * @throws ModelException when the folder is no model, or its family is not supported
   */
  public static ModelShape read(Path folder) {
    return new ModelShape(ModelConfig.of(folder));
  }

  /**
   * The shape that a config.json of this text describes.
   *
   * @param name what errors call the file
   */
  public static ModelShape parse(String name, String json) {
    return new ModelShape(ModelConfig.read(ConfigJson.parse(Path.of(name), json)));
  }

  /** The same model with its first layers alone, at most so many. */
  public ModelShape firstLayers(int most) {
    return new ModelShape(config.firstLayers(Math.min(most, layers())));
  }

  /** All that config.json says. */
  public ModelConfig config() {
    return config;
  }

  /** Number of weights; a tied output head counts once. */
  public long weights() {
    return ModelTensors.of(config).stream().mapToLong(t -> t.shape().elements()).sum();
  }

  /** Number of layers L. */
  public int layers() {
    return config.sizes().layers();
  }

  /** Vocabulary size V. */
  public int vocabSize() {
    return config.sizes().vocab();
  }

  /** The most positions of one sample. */
  public int maxPositions() {
    return config.longestSample();
  }
}
