package dev.nibble.adapters;

import dev.nibble.adapters.PeftNames.Parsed;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.NonFinite;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The merge of an adapter into the weights that it belongs to, one tensor at a time. It knows
 * tensors by their names in the checkpoint and needs no model. What trained as a whole replaces
 * what was there; the rest is its {@link AdapterSpec}'s.
 */
public final class AdapterMerge implements AutoCloseable {
  private final PeftAdapter adapter;
  private final AdapterSpec spec;
  private final SafetensorsFile file;
  private final Map<String, TensorMerge> merges = new LinkedHashMap<>();

  private AdapterMerge(Path folder, PeftAdapter adapter, SafetensorsFile file) {
    this.adapter = adapter;
    this.spec = adapter.spec();
    this.file = file;
    Path path = folder.resolve(PeftAdapter.WEIGHTS);
    Map<String, Map<String, Tensor>> modules = new LinkedHashMap<>();
    Map<String, Tensor> shared = new LinkedHashMap<>();
    for (String name : new TreeSet<>(file.names())) {
      requireFinite(path, file.tensor(name));
      if (spec.sharedTensors().contains(name)) {
        shared.put(name, file.tensor(name));
        continue;
      }
      Parsed parsed =
          PeftNames.parse(name, spec.tensorSuffixes())
              .orElseThrow(() ->
                  new AdapterException(
                      "%s: tensor %s is not named as PEFT names an adapter's tensors"
                          .formatted(path, name)));
      if (parsed.isWhole() && !ChangedBase.changesBase(parsed, spec)) {
        add(replacement(parsed.module(), file.tensor(name)));
      } else if (parsed.isAdapter()) {
        modules
            .computeIfAbsent(parsed.module(), m -> new LinkedHashMap<>())
            .put(parsed.suffix(), file.tensor(name));
      }
    }
    try {
      modules.forEach((module, tensors) -> {
        tensors.putAll(shared);
        spec.merges(new AdapterTensors(module, tensors)).forEach(this::add);
      });
    } catch (AdapterException e) {
      throw new AdapterException("%s: %s".formatted(path, e.getMessage()), e);
    }
  }

  private static void requireFinite(Path file, Tensor tensor) {
    if (!tensor.dtype().isFloating()) {
      throw new AdapterException(
          "%s: %s is %s, expected F32, BF16 or F16".formatted(file, tensor.name(), tensor.dtype()));
    }
    NonFinite.find(tensor)
        .ifPresent(found -> {
          throw new AdapterException(
              "%s: %s has %s, expected finite numbers".formatted(file, tensor.name(), found));
        });
  }

  private static TensorMerge replacement(String tensor, Tensor trained) {
    return new TensorMerge(
        tensor,
        trained.shape(),
        (weight, kernels, scratch) -> kernels.moving().copy(weight, trained));
  }

  private void add(TensorMerge merge) {
    merges.put(merge.tensor(), merge);
  }

  /**
   * Opens an adapter in PEFT's layout.
   *
   * @throws AdapterException when it cannot be read, or was saved together with its own change of
   *     the base weights
   */
  public static AdapterMerge open(Path folder) {
    PeftAdapter adapter = PeftAdapter.open(folder);
    try {
      adapter.spec().checkMergeable();
    } catch (AdapterException e) {
      throw new AdapterException(
          "%s: %s".formatted(folder.resolve(PeftConfig.FILE), e.getMessage()), e);
    }
    SafetensorsFile file = PeftAdapter.openWeights(folder);
    try {
      return new AdapterMerge(folder, adapter, file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The tensors that the adapter is merged into, see {@link PeftAdapter#over}. */
  public ChangedBase over(StoredTensors base, boolean tied) {
    return adapter.over(base, tied);
  }

  /** The adapter's description. */
  public AdapterSpec spec() {
    return spec;
  }

  /** The checkpoint tensors that it changes or adds. */
  public Set<String> tensors() {
    return Collections.unmodifiableSet(merges.keySet());
  }

  /** True when the adapter has a part in this checkpoint tensor. */
  public boolean changes(String name) {
    return merges.containsKey(name);
  }

  /**
   * The tensors that a checkpoint lacks: the output head of a model that ties it to the embeddings,
   * which then starts from their table.
   *
   * @param checkpoint names of its tensors
   * @throws AdapterException when it lacks a bias: its architecture has no place for one
   */
  public Set<String> additions(Collection<String> checkpoint) {
    Set<String> missing = new TreeSet<>();
    merges.forEach((name, merge) -> {
      if (!merge.optional() && !checkpoint.contains(name)) {
        missing.add(name);
      }
    });
    List<String> biases = missing.stream().filter(name -> name.endsWith(".bias")).toList();
    if (!biases.isEmpty()) {
      throw new AdapterException(
          "the adapter has a bias for modules of the base model that have none, so it cannot be merged: %s%s"
              .formatted(biases.getFirst(), biases.size() > 1 ? " and others" : ""));
    }
    return missing;
  }

  /**
   * The shape of a tensor of {@link #additions}.
   *
   * @throws AdapterException when the adapter does not tell, and so was made for another base
   */
  public Shape shape(String name) {
    return merge(name)
        .shape()
        .orElseThrow(() ->
            new AdapterException("the base model has no %s, but its adapter does".formatted(name)));
  }

  private TensorMerge merge(String name) {
    TensorMerge merge = merges.get(name);
    if (merge == null) {
      throw new IllegalArgumentException("the adapter does not change " + name);
    }
    return merge;
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
    TensorMerge merge = merge(name);
    if (merge.shape().isPresent() && !weight.shape().equals(merge.shape().get())) {
      throw new AdapterException(
          "%s is %s in the base model, but the adapter was made for %s"
              .formatted(name, weight.shape(), merge.shape().get()));
    }
    try (Scope scratch = Scope.open("merge", kernels.memory())) {
      merge.change().apply(weight, kernels, scratch);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
