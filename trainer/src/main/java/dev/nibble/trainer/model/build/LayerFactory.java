package dev.nibble.trainer.model.build;

import dev.nibble.adapters.Projection;
import dev.nibble.trainer.model.layers.Embedding;
import dev.nibble.trainer.model.layers.Norm;

/** A factory of a model's parts from weights under the checkpoint's names. */
interface LayerFactory {

  /** Token embeddings from a table [V, C]. */
  Embedding embedding(String name);

  /** A norm of this weight [C]. */
  Norm norm(String name, double epsilon);

  /**
   * A linear map inside a block: {@code module.weight}, with {@code module.bias} if there is one.
   */
  Projection linear(String module);

  /** The output head of this weight [V, C], which may be the embeddings'. */
  Projection head(String name);
}
