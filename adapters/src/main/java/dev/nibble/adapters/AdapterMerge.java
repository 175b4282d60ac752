package dev.nibble.adapters;

import dev.nibble.adapters.PeftNames.Parsed;
import dev.nibble.adapters.PeftNames.Part;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * Puts an adapter's updates into the weights that they belong to, one tensor at a time. It knows
 * tensors by their names in the checkpoint and needs no model.
 *
 * <p>With W' = W + s B A: a weight becomes W', or, with DoRA (arXiv:2402.09353), the rows of W' at
 * the lengths m that were learned, m / |W'| W'; a bias becomes bias + s b; an embedding table
 * becomes E + s (B A)^T; what trained as a whole replaces what was there.
 */
public final class AdapterMerge implements AutoCloseable {
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  /** What changes one tensor of a checkpoint: each part's tensor in the adapter file. */
  private record Change(String module, Map<Part, String> parts, Shape shape) {
    boolean has(Part part) {
      return parts.containsKey(part);
    }
  }

  private final PeftConfig config;
  private final SafetensorsFile file;
  private final Map<String, Change> changes = new LinkedHashMap<>();

  private AdapterMerge(Path folder, PeftConfig config, SafetensorsFile file) {
    this.config = config;
    this.file = file;
    Map<String, Map<Part, String>> modules = new LinkedHashMap<>();
    for (String name : new TreeSet<>(file.names())) {
      Parsed parsed =
          PeftNames.parse(name)
              .orElseThrow(() ->
                  new AdapterException(
                      "%s: tensor %s is not named as PEFT names an adapter's tensors"
                          .formatted(folder.resolve(PeftAdapter.WEIGHTS), name)));
      if (parsed.part() == Part.BASE) {
        continue; // a copy of the base's own weight
      }
      modules.computeIfAbsent(parsed.module(), m -> new LinkedHashMap<>()).put(parsed.part(), name);
    }
    modules.forEach((module, parts) -> add(folder, module, parts));
  }

  /**
   * Opens an adapter in PEFT's layout.
   *
   * @throws AdapterException when it cannot be read, or was saved together with its own change of
   *     the base weights
   */
  public static AdapterMerge open(Path folder) {
    PeftConfig config = PeftConfig.read(folder);
    if (config.spec().start().changesBase()) {
      throw new AdapterException(
          "%s: \"init_lora_weights\" is \"%s\": this adapter belongs to a base that its initialisation changed, and the change is not in the folder. Merge an adapter that was saved as plain LoRA: the folder of a finished run, not a checkpoint in it, or what PEFT saves with path_initial_model_for_weight_conversion"
              .formatted(folder.resolve(PeftConfig.FILE), config.spec().start().written()));
    }
    SafetensorsFile file = PeftAdapter.openWeights(folder);
    try {
      return new AdapterMerge(folder, config, file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private void add(Path folder, String module, Map<Part, String> parts) {
    if (parts.containsKey(Part.WHOLE)) {
      changes.put(module, new Change(module, parts, tensor(parts, Part.WHOLE).shape()));
      return;
    }
    boolean linear = parts.containsKey(Part.A) && parts.containsKey(Part.B);
    boolean table = parts.containsKey(Part.EMBEDDING_A) && parts.containsKey(Part.EMBEDDING_B);
    boolean complete = config.spec().dora() == parts.containsKey(Part.MAGNITUDE);
    if (linear == table || !complete) {
      throw new AdapterException(
          "%s: module %s has only %s"
              .formatted(folder.resolve(PeftAdapter.WEIGHTS), module, parts.values()));
    }
    Tensor a = tensor(parts, linear ? Part.A : Part.EMBEDDING_A);
    Tensor b = tensor(parts, linear ? Part.B : Part.EMBEDDING_B);
    Shape shape = linear ? Shape.of(b.rows(), a.cols()) : Shape.of(a.cols(), b.rows());
    changes.put(module + WEIGHT, new Change(module, parts, shape));
    if (parts.containsKey(Part.B_BIAS)) {
      changes.put(module + BIAS, new Change(module, parts, Shape.of(b.rows())));
    }
  }

  /** What the adapter looks like. */
  public LoraSpec spec() {
    return config.spec();
  }

  /** The checkpoint tensors that it changes or adds. */
  public Set<String> tensors() {
    return Collections.unmodifiableSet(changes.keySet());
  }

  /** True when the adapter has a part in this checkpoint tensor. */
  public boolean changes(String name) {
    return changes.containsKey(name);
  }

  /**
   * The tensors that a checkpoint lacks: a bias, which then starts from zeros, or the output head
   * of a model that ties it to the embeddings, which then starts from their table.
   *
   * @param checkpoint names of its tensors
   */
  public Set<String> additions(Collection<String> checkpoint) {
    Set<String> missing = new TreeSet<>(changes.keySet());
    missing.removeAll(checkpoint);
    return missing;
  }

  /** The shape of a tensor of {@link #tensors}. */
  public Shape shape(String name) {
    return change(name).shape();
  }

  private Change change(String name) {
    Change change = changes.get(name);
    if (change == null) {
      throw new IllegalArgumentException("the adapter does not change " + name);
    }
    return change;
  }

  /**
   * Changes a tensor in place.
   *
   * @param name one of {@link #tensors}
   * @param weight F32, in the kernels' memory, with the base's values
   * @throws AdapterException when the base's tensor has another shape
   */
  public void merge(String name, Tensor weight, Kernels kernels) {
    if (weight.dtype() != DType.F32) {
      throw new IllegalArgumentException("merging needs F32, not " + weight);
    }
    Change change = change(name);
    if (!weight.shape().equals(change.shape())) {
      throw new AdapterException(
          "%s is %s in the base model, but the adapter was made for %s"
              .formatted(name, weight.shape(), change.shape()));
    }
    try (Scope scope = Scope.open("merge", kernels.memory())) {
      double scale = spec().ranks().scale(change.module());
      if (change.has(Part.WHOLE)) {
        kernels.moving().copy(weight, stored(change, Part.WHOLE));
      } else if (change.has(Part.EMBEDDING_A)) {
        Tensor at = transposed(scope, kernels, stored(change, Part.EMBEDDING_A));
        kernels
            .products()
            .linearForwardAdd(weight, at, f32(scope, kernels, change, Part.EMBEDDING_B), scale);
      } else if (name.endsWith(BIAS)) {
        Tensor bias = f32(scope, kernels, change, Part.B_BIAS);
        kernels.pointwise().scale(bias, scale);
        kernels.pointwise().add(weight, weight, bias);
      } else {
        Tensor b = f32(scope, kernels, change, Part.B);
        kernels.products().linearBackward(weight, b, f32(scope, kernels, change, Part.A), scale);
        if (change.has(Part.MAGNITUDE)) {
          setLengths(kernels, weight, stored(change, Part.MAGNITUDE));
        }
      }
    }
  }

  private Tensor stored(Change change, Part part) {
    return tensor(change.parts(), part);
  }

  private Tensor tensor(Map<Part, String> parts, Part part) {
    return file.tensor(Objects.requireNonNull(parts.get(part), "no such part"));
  }

  private Tensor f32(Scope scope, Kernels kernels, Change change, Part part) {
    Tensor stored = stored(change, part);
    Tensor wide = scope.allocate(stored.name(), DType.F32, stored.shape().dims());
    kernels.moving().copy(wide, stored);
    return wide;
  }

  private static Tensor transposed(Scope scope, Kernels kernels, Tensor stored) {
    int rows = Math.toIntExact(stored.rows());
    int cols = Math.toIntExact(stored.cols());
    float[] values = new float[rows * cols];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        values[j * rows + i] = stored.getFloat((long) i * cols + j);
      }
    }
    Tensor out = scope.allocate(stored.name() + " transposed", DType.F32, cols, rows);
    TensorValues.put(kernels, out, values);
    return out;
  }

  private static void setLengths(Kernels kernels, Tensor weight, Tensor magnitude) {
    try (HostCopies host = new HostCopies(kernels)) {
      Tensor read = host.of(weight);
      for (long row = 0; row < weight.rows(); row++) {
        double length = Math.sqrt(RowLengths.square(read.slice(row, row + 1)));
        kernels.pointwise().scale(weight.slice(row, row + 1), magnitude.getDouble(row) / length);
      }
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
