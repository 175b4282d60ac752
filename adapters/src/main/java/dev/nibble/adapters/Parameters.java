package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that trains: F32 weights in one flat buffer and their gradients in a second of the
 * same layout, so that zeroing, the norm and clipping are one kernel call each. What the optimizer
 * treats alike lies together, so that an update is one call for each {@link Range}. In a model that
 * is only used there are no gradients.
 */
public final class Parameters {

  /**
   * One trained tensor.
   *
   * @param name its name in the checkpoint or the adapter file
   * @param weight a view into {@link Parameters#weights}
   * @param gradient a view into {@link Parameters#gradients}; of no elements where there are none
   * @param isEmbedding whether it is a table of embeddings, or adapts one
   */
  public record Parameter(String name, Tensor weight, Tensor gradient, boolean isEmbedding) {}

  /**
   * A tensor of an adapter that does not train, such as a random matrix that all modules share.
   *
   * @param name its name in the adapter file
   * @param values F32, in memory
   * @param isTransposed whether the file has rows and columns the other way round
   * @param required whether the file must hold it
   */
  public record Constant(String name, Tensor values, boolean isTransposed, boolean required) {

    /** Its shape in the adapter file. */
    Shape shape() {
      return isTransposed ? Shape.of(values.cols(), values.rows()) : values.shape();
    }

    /** Sets the values, which come in the order of the file. */
    void put(Kernels kernels, float[] inFile) {
      TensorValues.put(
          kernels,
          values,
          isTransposed
              ? Transposed.of(inFile, /* rows= */ values.cols(), /* cols= */ values.rows())
              : inFile);
    }

    /** The values in the order of the file. */
    float[] get(Kernels kernels) {
      float[] inMemory = TensorValues.of(kernels, values);
      return isTransposed ? Transposed.of(inMemory, values.rows(), values.cols()) : inMemory;
    }
  }

  /** How fast a parameter learns, as LoRA+ (arXiv:2402.12354) tells parameters apart. */
  public enum ParameterGroup {
    /** At the learning rate. */
    NORMAL,
    /** B of a LoRA pair, and every vector: at a multiple of the learning rate. */
    FAST,
    /** A and B of an adapted embedding table: at a rate of their own. */
    EMBEDDING
  }

  /**
   * Neighbours that the optimizer treats alike.
   *
   * @param group how fast they learn
   * @param decays whether they have weight decay
   * @param from the first weight
   * @param count how many weights
   */
  public record Range(ParameterGroup group, boolean decays, long from, long count) {}

  private final Map<String, Parameter> byName;
  private final Tensor weights;
  private final Tensor gradients;
  private final List<Range> ranges;
  private final List<Constant> constants;
  private Optional<Tensor> start = Optional.empty();

  private Parameters(
      Map<String, Parameter> byName,
      Tensor weights,
      Tensor gradients,
      List<Range> ranges,
      List<Constant> constants) {
    this.byName = byName;
    this.weights = weights;
    this.gradients = gradients;
    this.ranges = List.copyOf(ranges);
    this.constants = List.copyOf(constants);
  }

  /** All parameters by range, those of a range in the order they were added. */
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

  /** The tensors that are saved beside the parameters and do not train. */
  public List<Constant> constants() {
    return constants;
  }

  /**
   * The constant of this name.
   *
   * @throws IllegalArgumentException when there is none
   */
  Constant constant(String name) {
    return constants.stream()
        .filter(c -> c.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no constant named " + name));
  }

  /** F32 [P]: all weights. */
  public Tensor weights() {
    return weights;
  }

  /** F32 [P]: all gradients, in the layout of {@link #weights}; [0] where there are none. */
  public Tensor gradients() {
    return gradients;
  }

  /** Number of trained weights P. */
  public long count() {
    return weights.elements();
  }

  /** Whether there is anything with a gradient. */
  public boolean train() {
    return gradients.elements() > 0;
  }

  /** The ranges, which cover all weights in order; none is empty. */
  public List<Range> ranges() {
    return ranges;
  }

  /** Keeps a copy of all weights as they are now, for {@link #start}. */
  public void keepStart(Scope scope, Kernels kernels) {
    Tensor copy = scope.allocate("adapters/start", DType.F32, count());
    kernels.moving().copy(copy, weights);
    start = Optional.of(copy);
  }

  /**
   * A parameter's weights as they were when {@link #keepStart} was called.
   *
   * @throws IllegalStateException when it never was
   */
  Tensor start(Parameter p) {
    Tensor copy = start.orElseThrow(() -> new IllegalStateException("the start was not kept"));
    long offset = 0;
    for (Parameter before : byName.values()) {
      if (before.name().equals(p.name())) {
        return copy.part(offset, p.weight().shape().dims());
      }
      offset += before.weight().elements();
    }
    throw new IllegalArgumentException("no parameter named " + p.name());
  }

  /** Sets all gradients to 0. */
  public void zeroGradients(Kernels kernels) {
    kernels.moving().fill(gradients, 0);
  }

  /** Collects what trains before memory is taken. */
  public static final class Builder {
    private record Entry(
        String name, ParameterGroup group, boolean decays, boolean isEmbedding, Shape shape) {
      boolean isLike(Range range) {
        return group == range.group() && decays == range.decays();
      }
    }

    private record Fixed(String name, boolean isTransposed, boolean required, Shape shape) {}

    private final List<Entry> entries = new ArrayList<>();
    private final List<Fixed> constants = new ArrayList<>();

    /** Adds a tensor that learns at the learning rate, see the other method. */
    public Builder add(String name, boolean decays, long... dims) {
      return add(name, ParameterGroup.NORMAL, decays, dims);
    }

    /** Adds a tensor. {@code decays} is false for norms and biases. */
    public Builder add(String name, ParameterGroup group, boolean decays, long... dims) {
      entries.add(
          new Entry(name, group, decays, group == ParameterGroup.EMBEDDING, Shape.of(dims)));
      return this;
    }

    /** Adds a whole table of embeddings, which learns at the learning rate. */
    public Builder addEmbedding(String name, boolean decays, long... dims) {
      entries.add(new Entry(name, ParameterGroup.NORMAL, decays, true, Shape.of(dims)));
      return this;
    }

    /** Adds a tensor that does not train, see {@link Constant}. */
    Builder addConstant(String name, boolean required, long... dims) {
      constants.add(new Fixed(name, false, required, Shape.of(dims)));
      return this;
    }

    /** The same for one that the file has the other way round; {@code dims} are those in memory. */
    Builder addTransposedConstant(String name, boolean required, long... dims) {
      constants.add(new Fixed(name, true, required, Shape.of(dims)));
      return this;
    }

    /**
     * Takes memory for weights and gradients, both 0, in groups named {@code group} and
     * "gradients".
     */
    public Parameters allocate(Scope scope, String group) {
      return allocate(scope, group, true);
    }

    /** Takes memory for weights alone, 0, in a group named {@code group}: nothing can train. */
    public Parameters allocateFrozen(Scope scope, String group) {
      return allocate(scope, group, false);
    }

    private Parameters allocate(Scope scope, String group, boolean train) {
      long total = entries.stream().mapToLong(e -> e.shape().elements()).sum();
      Tensor weights = scope.allocate(group + "/all", DType.F32, total);
      Tensor gradients = scope.allocate("gradients/all", DType.F32, train ? total : 0);
      Map<String, Parameter> byName = new LinkedHashMap<>();
      List<Range> ranges = new ArrayList<>();
      long offset = 0;
      for (Entry e : sorted()) {
        Tensor w = weights.part(offset, e.shape().dims()).named(e.name());
        Tensor g = train ? gradients.part(offset, e.shape().dims()) : gradients;
        if (byName.put(
                e.name(), new Parameter(e.name(), w, g.named("grad " + e.name()), e.isEmbedding()))
            != null) {
          throw new IllegalArgumentException("two parameters named " + e.name());
        }
        extend(ranges, e, offset);
        offset += e.shape().elements();
      }
      List<Constant> fixed = new ArrayList<>();
      for (Fixed f : constants) {
        Tensor values = scope.allocate(group + "/" + f.name(), DType.F32, f.shape().dims());
        fixed.add(new Constant(f.name(), values, f.isTransposed(), f.required()));
      }
      return new Parameters(byName, weights, gradients, ranges, fixed);
    }

    private List<Entry> sorted() {
      return entries.stream()
          .sorted(Comparator.comparing(Entry::group).thenComparing(e -> !e.decays()))
          .toList();
    }

    private static void extend(List<Range> ranges, Entry e, long offset) {
      long count = e.shape().elements();
      if (!ranges.isEmpty() && e.isLike(ranges.getLast())) {
        Range last = ranges.removeLast();
        ranges.add(new Range(last.group(), last.decays(), last.from(), last.count() + count));
      } else if (count > 0) {
        ranges.add(new Range(e.group(), e.decays(), offset, count));
      }
    }
  }
}
