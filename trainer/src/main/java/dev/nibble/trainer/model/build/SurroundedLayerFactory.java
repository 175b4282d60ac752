package dev.nibble.trainer.model.build;

import dev.nibble.adapters.FrozenProjection;
import dev.nibble.adapters.Projection;
import dev.nibble.trainer.model.layers.Embedding;
import dev.nibble.trainer.model.layers.Norm;
import java.util.function.BiFunction;

/**
 * Parts that do not train, whose linear maps inside blocks somebody puts others around.
 *
 * @param around gives what stands in a linear map's place, by the path of its module
 */
record SurroundedLayerFactory(
    FrozenLayerFactory frozen, BiFunction<String, FrozenProjection, Projection> around)
    implements LayerFactory {

  @Override
  public Embedding embedding(String name) {
    return frozen.embedding(name);
  }

  @Override
  public Norm norm(String name, double epsilon) {
    return frozen.norm(name, epsilon);
  }

  @Override
  public Projection linear(String module) {
    return around.apply(module, frozen.linear(module));
  }

  @Override
  public Projection head(String name) {
    return frozen.head(name);
  }
}
