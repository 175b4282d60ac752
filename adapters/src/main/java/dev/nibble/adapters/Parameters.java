package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything that trains: F32 weights in one flat buffer and their gradients in a second of the
 * same layout, so that zeroing, the norm, clipping and the update are one kernel call each.
 * Parameters with weight decay come first.
 */
public final class Parameters {

  /**
   * One trained tensor.
   *
   * @param name its name in the checkpoint or the adapter file
   * @param weight a view into {@link Parameters#weights}
   * @param gradient a view into {@link Parameters#gradients}
   */
  public record Parameter(String name, Tensor weight, Tensor gradient) {}

  private final Map<String, Parameter> byName;
  private final Tensor weights;
  private final Tensor gradients;
  private final long decayed;

  private Parameters(
      Map<String, Parameter> byName, Tensor weights, Tensor gradients, long decayed) {
    this.byName = byName;
    this.weights = weights;
    this.gradients = gradients;
    this.decayed = decayed;
  }

  /** All parameters, those with weight decay first, each group in the order they were added. */
  public List<Parameter> all() {
    return List.copyOf(byName.values());
  }

  /**
   * The parameter of this name.
   *
   * @throws IllegalArgumentException when there is none
   */
  public Parameter named(String name) {
    Parameter p = byName.get(name);
    if (p == null) {
      throw new IllegalArgumentException("no parameter named " + name);
    }
    return p;
  }

  /** F32 [P]: all weights. */
  public Tensor weights() {
    return weights;
  }

  /** F32 [P]: all gradients, in the layout of {@link #weights}. */
  public Tensor gradients() {
    return gradients;
  }

  /** Number of trained weights P. */
  public long count() {
    return weights.elements();
  }

  /** The first so many weights have weight decay; the rest (norms and biases) have none. */
  public long decayed() {
    return decayed;
  }

  /** Sets all gradients to 0. */
  public void zeroGradients(Kernels kernels) {
    kernels.fill(gradients, 0);
  }

  /** Collects what trains before memory is taken. */
  public static final class Builder {
    private record Entry(String name, Shape shape) {}

    private final List<Entry> decayed = new ArrayList<>();
    private final List<Entry> plain = new ArrayList<>();

    /** Adds a tensor. {@code decay} is false for norms and biases. */
    public Builder add(String name, boolean decay, long... dims) {
      (decay ? decayed : plain).add(new Entry(name, Shape.of(dims)));
      return this;
    }

    /**
     * Takes memory for weights and gradients, both 0, in groups named {@code group} and
     * "gradients".
     */
    public Parameters allocate(Scope scope, String group) {
      List<Entry> order = new ArrayList<>(decayed);
      order.addAll(plain);
      long total = order.stream().mapToLong(e -> e.shape().elements()).sum();
      Tensor weights = scope.allocate(group + "/all", DType.F32, total);
      Tensor gradients = scope.allocate("gradients/all", DType.F32, total);
      Map<String, Parameter> byName = new LinkedHashMap<>();
      long offset = 0;
      for (Entry e : order) {
        Tensor w = weights.part(offset, e.shape().dims()).named(e.name());
        Tensor g = gradients.part(offset, e.shape().dims()).named("grad " + e.name());
        if (byName.put(e.name(), new Parameter(e.name(), w, g)) != null) {
          throw new IllegalArgumentException("two parameters named " + e.name());
        }
        offset += e.shape().elements();
      }
      return new Parameters(
          byName, weights, gradients, decayed.stream().mapToLong(e -> e.shape().elements()).sum());
    }
  }
}
