package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** The weights of a checkpoint that it stores in a format. Its other tensors are dense. */
public interface StoredWeights {

  /** The format of all of them; empty when there are none. */
  Optional<WeightFormat> format();

  /** Their names, which they would have were they dense. */
  Set<String> names();

  /** The shape [O, I] of a weight; empty when it is dense. */
  Optional<Shape> shape(String weight);

  /**
   * The names of the model's tensors in a checkpoint that has {@code stored}: without {@link
   * #companions}, and with the names of weights that are stored under other ones.
   */
  default Set<String> tensors(Set<String> stored) {
    Set<String> all = new LinkedHashSet<>(stored);
    all.removeAll(companions());
    all.addAll(names());
    return all;
  }

  /** Names of the tensors that hold scales, tables and the like: no tensors of the model. */
  Set<String> companions();

  /**
   * Prepares to load them.
   *
   * @param scope owns what is loaded; must be of the kernels' memory
   */
  Loader loader(Kernels kernels, Scope scope);

  /** Loads weights as they are stored, to the bit. */
  interface Loader {

    /**
     * A weight that has a {@link StoredWeights#shape}.
     *
     * @throws UnusableWeight when its scales are no numbers
     */
    FrozenMatrix load(String weight);
  }
}
