package dev.nibble.adapters;

import dev.nibble.adapters.PeftNames.Parsed;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.NonFinite;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a base model with the changes that an adapter's file brings beside the adapter:
 * biases that trained, rows of embeddings that trained, and embeddings that PEFT saved because
 * their vocabulary had grown or an adapter is on them. The adapter belongs on these.
 */
public final class ChangedBase implements StoredTensors, AutoCloseable {
  private static final String EMBEDDING = "embed_tokens";
  private static final String HEAD = "lm_head";
  private static final String HEAD_WEIGHT = HEAD + ".weight";

  private final StoredTensors base;
  private final Path path;
  private final SafetensorsFile file;
  private final Scope tables = Scope.open("changed", Memory.host());
  private final Set<String> names;
  private final Map<String, Tensor> changed = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();

  /**
   * Opens an adapter's file over a base.
   *
   * @param base stays the caller's, and open
   * @param tied whether the base's output head is its embedding table, of which {@code base} may
   *     hold a copy
   */
  ChangedBase(StoredTensors base, boolean tied, Path folder, PeftConfig config) {
    this.base = base;
    this.path = folder.resolve(PeftAdapter.WEIGHTS);
    this.file = PeftAdapter.openWeights(folder);
    this.names = new LinkedHashSet<>(base.names());
    if (tied) {
      names.remove(HEAD_WEIGHT);
    }
    try {
      for (String name : file.names()) {
        PeftNames.parse(name, config.spec().tensorSuffixes())
            .filter(parsed -> changesBase(parsed, config.spec()))
            .ifPresent(parsed -> add(parsed, file.tensor(name), config.extras(), tied));
      }
      if (tied && sameAsEmbeddings(changed.get(HEAD_WEIGHT))) {
        changed.remove(HEAD_WEIGHT);
      }
      if (!problems.isEmpty()) {
        throw new AdapterException(
            "%s changes the base model in ways that do not fit it:%n  %s"
                .formatted(path, String.join(System.lineSeparator() + "  ", problems)));
      }
      names.addAll(changed.keySet());
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** True for a tensor of an adapter's file that belongs to the base. */
  static boolean changesBase(Parsed parsed, AdapterSpec spec) {
    return !parsed.isAdapter()
        && !(parsed.isWhole() && WholeModules.has(spec.modulesToSave(), parsed.module()));
  }

  private void add(Parsed parsed, Tensor given, PeftExtras extras, boolean tied) {
    String tensor = parsed.baseTensor();
    String module = tensor.substring(0, tensor.lastIndexOf('.'));
    boolean table = ModuleChoice.endsWith(module, EMBEDDING) || ModuleChoice.endsWith(module, HEAD);
    boolean own = names.contains(tensor);
    if (!own && !(tied && tensor.equals(HEAD_WEIGHT))) {
      problems.add("%s is for %s, which the base model has not".formatted(given.name(), tensor));
      return;
    }
    Optional<String> bad = given.dtype().isFloating() ? NonFinite.find(given) : Optional.empty();
    if (bad.isPresent() || !given.dtype().isFloating()) {
      problems.add(
          "%s has %s, expected finite numbers"
              .formatted(given.name(), bad.orElse("values of type " + given.dtype())));
      return;
    }
    Optional<Tensor> before = own ? Optional.of(base.tensor(tensor)) : Optional.empty();
    if (!table && before.isPresent() && before.get().shape().rank() != 1) {
      problems.add(
          "%s brings the weight of a linear layer, which only modules_to_save may"
              .formatted(given.name()));
    } else if (parsed.isTokens()) {
      before.ifPresent(t -> addRows(tensor, t, given, extras.tokensOf(module)));
    } else if (before.isPresent() && !before.get().shape().equals(given.shape())) {
      problems.add(
          "%s is %s, but the base model's is %s%s"
              .formatted(
                  given.name(),
                  given.shape(),
                  before.get().shape(),
                  table ? ": give the base model with the vocabulary that it was trained on" : ""));
    } else if (before.isEmpty() || !before.get().hasValuesOf(given)) {
      changed.put(tensor, given);
    }
  }

  private void addRows(String tensor, Tensor before, Tensor rows, Optional<List<Integer>> ids) {
    Shape expected = Shape.of(ids.map(List::size).orElse(0), before.cols());
    if (!rows.shape().equals(expected)) {
      problems.add(
          "%s is %s, but trainable_token_indices asks for %s"
              .formatted(rows.name(), rows.shape(), expected));
      return;
    }
    Tensor table = tables.allocate(tensor, before.dtype(), before.shape().dims());
    table.memory().copyFrom(before.memory());
    for (int i = 0; i < ids.orElse(List.of()).size(); i++) {
      long id = ids.orElseThrow().get(i);
      if (id >= before.rows()) {
        problems.add(
            "%s is for token %d, but the base model has only %d embeddings"
                .formatted(rows.name(), id, before.rows()));
        return;
      }
      for (long c = 0; c < before.cols(); c++) {
        table.setFloat(id * before.cols() + c, rows.getFloat(i * before.cols() + c));
      }
    }
    changed.put(tensor, table);
  }

  private boolean sameAsEmbeddings(@Nullable Tensor head) {
    return head != null
        && names.stream()
            .filter(name -> name.endsWith(EMBEDDING + ".weight"))
            .anyMatch(name -> current(name).hasValuesOf(head));
  }

  private Tensor current(String name) {
    Tensor own = changed.get(name);
    return own == null ? base.tensor(name) : own;
  }

  /** The tensors whose values differ from the base's. */
  public Set<String> changes() {
    return Collections.unmodifiableSet(changed.keySet());
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(names);
  }

  @Override
  public boolean has(String name) {
    return names.contains(name);
  }

  @Override
  public Tensor tensor(String name) {
    return current(name);
  }

  @Override
  public void unload(String name) {
    if (!changed.containsKey(name)) {
      base.unload(name);
    }
  }

  @Override
  public String placeOf(String name) {
    return changed.containsKey(name) ? path.toString() : base.placeOf(name);
  }

  @Override
  public void close() {
    tables.close();
    file.close();
  }
}
