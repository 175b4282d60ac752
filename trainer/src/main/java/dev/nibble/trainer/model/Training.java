package dev.nibble.trainer.model;

import dev.nibble.adapters.AdapterSpec;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The choice of the weights that train. */
public sealed interface Training {

  /**
   * Why switching adapters off does not leave the frozen base; empty where it does. Modules that
   * train as a whole keep no copy of what they were, and some initial values are taken out of the
   * base weights.
   */
  default Optional<String> baseIsLost() {
    return Optional.empty();
  }

  /** Nothing, in a model without an adapter: it evaluates and generates. */
  record Nothing() implements Training {}

  /**
   * Nothing, in a model with an adapter: it evaluates and generates.
   *
   * @param seed of the adapter's initial values
   * @param changed tensors of the base that the adapter's file has other values for
   */
  record FrozenAdapter(AdapterSpec spec, long seed, Set<String> changed) implements Training {
    public FrozenAdapter {
      changed = Set.copyOf(changed);
    }

    /** On an unchanged base. */
    public FrozenAdapter(AdapterSpec spec, long seed) {
      this(spec, seed, Set.of());
    }

    @Override
    public Optional<String> baseIsLost() {
      return changed.isEmpty()
          ? new Adapter(spec, seed).baseIsLost()
          : Optional.of(
              "the adapter's file brings its own " + String.join(", ", new TreeSet<>(changed)));
    }
  }

  /** Every weight, in F32. */
  record AllWeights() implements Training {
    @Override
    public Optional<String> baseIsLost() {
      return Optional.of("all its weights train");
    }
  }

  /**
   * An adapter on a frozen model.
   *
   * @param seed of its initial values
   */
  record Adapter(AdapterSpec spec, long seed) implements Training {
    @Override
    public Optional<String> baseIsLost() {
      if (!spec.modulesToSave().isEmpty()) {
        return Optional.of(spec.modulesToSave() + " hold weights of their own");
      }
      return spec.changesBase()
          ? Optional.of("the adapter's initial values were taken out of its weights")
          : Optional.empty();
    }
  }
}
