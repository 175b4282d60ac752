package dev.nibble.quant;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Shape;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;

/** Weights of a checkpoint whose shapes are all that one needs to know of each. */
public interface ShapedWeights extends StoredWeights {

  /** The shapes [O, I], by the names that the weights would have were they dense. */
  SequencedMap<String, Shape> shapes();

  @Override
  default Set<String> names() {
    return Collections.unmodifiableSet(shapes().keySet());
  }

  @Override
  default Optional<Shape> shape(String weight) {
    return Optional.ofNullable(shapes().get(weight));
  }

  /** The tensors of {@code parts} that a checkpoint has of the weights. */
  default Set<String> present(StoredTensors checkpoint, List<String> parts) {
    return shapes().keySet().stream()
        .flatMap(weight -> parts.stream().map(part -> ModuleTensors.module(weight) + part))
        .filter(checkpoint::has)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** The shape of a weight that is one of these. */
  default Shape required(String weight) {
    return shape(weight).orElseThrow(() -> new IllegalArgumentException(weight + " is dense"));
  }
}
