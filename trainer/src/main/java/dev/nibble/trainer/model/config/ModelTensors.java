package dev.nibble.trainer.model.config;

import dev.nibble.compute.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Names and shapes of a checkpoint's tensors. */
public final class ModelTensors {
  /** Token embeddings. */
  public static final String EMBEDDING = "model.embed_tokens.weight";

  /** The norm behind the last layer. */
  public static final String LAST_NORM = "model.norm.weight";

  /** The output head of a model that does not tie it. */
  public static final String HEAD = "lm_head.weight";

  private ModelTensors() {}

  /** The common prefix of a layer's module paths. */
  static String layer(int index) {
    return "model.layers." + index + ".";
  }

  /** All tensors, in the order of the forward pass. */
  public static List<TensorSpec> of(ModelConfig c) {
    List<TensorSpec> all = new ArrayList<>();
    all.add(new TensorSpec(EMBEDDING, table(c), Part.EMBEDDING));
    c.layers().forEach(layer -> all.addAll(layer.tensors()));
    all.add(new TensorSpec(LAST_NORM, Shape.of(c.sizes().hidden()), Part.LAST_NORM));
    if (!c.tiedHead()) {
      all.add(head(c));
    }
    return all;
  }

  /** The output head, which a tied one becomes when it trains apart from the embeddings. */
  public static TensorSpec head(ModelConfig c) {
    return new TensorSpec(HEAD, table(c), Part.HEAD);
  }

  private static Shape table(ModelConfig c) {
    return Shape.of(c.sizes().vocab(), c.sizes().hidden());
  }
}
