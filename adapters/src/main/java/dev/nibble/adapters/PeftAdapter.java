package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Constant;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.PeftNames.Parsed;
import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.FileProblem;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.NonFinite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** An adapter in PEFT's folder layout: adapter_config.json and adapter_model.safetensors. */
public final class PeftAdapter {
  /** The file of an adapter's description. */
  public static final String CONFIG = PeftConfig.FILE;

  /** The file of its weights. */
  public static final String WEIGHTS = "adapter_model.safetensors";

  private static final String PICKLED =
      "; adapter_model.bin is not read, since such a file can run any code: save the adapter with a PEFT of 0.6 or later";

  private final Path folder;
  private final PeftConfig config;

  private PeftAdapter(Path folder, PeftConfig config) {
    this.folder = folder;
    this.config = config;
  }

  /**
   * Reads a folder's adapter_config.json.
   *
   * @throws AdapterException when there is none, or it asks for what is not supported
   */
  public static PeftAdapter open(Path folder) {
    PeftConfig config = PeftConfig.read(folder);
    try (SafetensorsFile tensors = openWeights(folder)) {
      return new PeftAdapter(folder, withNamesInUse(config, tensors.names()));
    }
  }

  /**
   * PEFT lets pass a target that its model does not have, as long as it has another, and patterns
   * that match nothing. Tying adds the output head to the targets.
   */
  private static PeftConfig withNamesInUse(PeftConfig config, Collection<String> tensors) {
    AdapterSpec spec = config.spec();
    Set<String> modules = new LinkedHashSet<>();
    for (String tensor : tensors) {
      PeftNames.parse(tensor, spec.tensorSuffixes())
          .filter(Parsed::isAdapter)
          .ifPresent(parsed -> modules.add(parsed.module()));
    }
    return config.with(spec.inUse(modules, config.extras().tying()));
  }

  private static Path requireWeights(Path folder) {
    Path file = folder.resolve(WEIGHTS);
    if (!Files.isRegularFile(file)) {
      String pickled = folder.resolve("adapter_model.bin").toFile().exists() ? PICKLED : "";
      throw new AdapterException("%s holds no %s%s".formatted(folder, WEIGHTS, pickled));
    }
    return file;
  }

  /** The tensors of an adapter's folder. */
  static SafetensorsFile openWeights(Path folder) {
    return Safetensors.open(requireWeights(folder));
  }

  /** The adapter's description: build the model with it. */
  public AdapterSpec spec() {
    return config.spec();
  }

  /** The base model that the adapter names; may be empty. */
  public String baseModel() {
    return config.baseModel();
  }

  /**
   * Copies the adapter's weights into the parameters of a model that was built with {@link #spec}.
   *
   * @throws AdapterException when tensors are missing, unexpected or of another shape, naming all
   */
  public void copyTo(Parameters parameters, Kernels kernels) {
    Path file = folder.resolve(WEIGHTS);
    try (SafetensorsFile tensors = Safetensors.open(file)) {
      check(file, tensors, parameters, config.spec());
      for (Parameter p : parameters.all()) {
        kernels.moving().copy(p.weight(), tensors.tensor(p.name()));
      }
      for (Constant c : parameters.constants()) {
        if (tensors.has(c.name())) {
          c.put(kernels, tensors.tensor(c.name()).toFloats());
        }
      }
    }
  }

  /**
   * Copies the adapter's two files as they are.
   *
   * @param target exists
   * @param baseName what the copy calls its base model
   */
  public void copy(Path target, String baseName) throws IOException {
    Path config = folder.resolve(PeftConfig.FILE);
    ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(Files.readString(config));
    json.put("base_model_name_or_path", baseName);
    AtomicFile.write(
        target.resolve(PeftConfig.FILE),
        JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(json));
    Files.copy(folder.resolve(WEIGHTS), target.resolve(WEIGHTS));
  }

  /**
   * The tensors of the base that the adapter belongs on: with what its file changes in them.
   *
   * @param base stays the caller's, and open
   * @param tied whether the base's output head is its embedding table
   * @throws AdapterException when the changes do not fit the base, naming all
   */
  public ChangedBase over(StoredTensors base, boolean tied) {
    return new ChangedBase(base, tied, folder, config);
  }

  /**
   * Checks that training can go on from this adapter: that there is nothing beside it that would
   * have to train too, or to be saved with it.
   *
   * @throws AdapterException when there is
   */
  public void requireTrainable(StoredTensors base, boolean tied) {
    List<String> more = new ArrayList<>(config.extras().inUse());
    try (ChangedBase changed = over(base, tied)) {
      changed.changes().forEach(name -> more.add("its own " + name));
    }
    if (!more.isEmpty()) {
      throw new AdapterException(
          "%s holds more than an adapter: %s. Training cannot continue from that; export the merged model, and train a new adapter on it"
              .formatted(folder, String.join(", ", more)));
    }
  }

  /** What was left out of the adapter's description, in a sentence each. */
  public List<String> warnings() {
    return config.ignored().isEmpty()
        ? List.of()
        : List.of(
            "%s: left out %s, which PEFT 0.21 does not know either; a later version may have written it"
                .formatted(folder.resolve(CONFIG), String.join(", ", config.ignored())));
  }

  private static void check(
      Path file, SafetensorsFile tensors, Parameters parameters, AdapterSpec spec) {
    List<String> problems = new ArrayList<>();
    Set<String> unexpected = new TreeSet<>(tensors.names());
    Map<String, Shape> expected = new LinkedHashMap<>();
    parameters.all().forEach(p -> expected.put(p.name(), p.weight().shape()));
    for (Constant c : parameters.constants()) {
      if (c.required() || tensors.has(c.name())) {
        expected.put(c.name(), c.shape());
      }
    }
    for (Map.Entry<String, Shape> e : expected.entrySet()) {
      if (!unexpected.remove(e.getKey())) {
        problems.add("missing " + e.getKey());
        continue;
      }
      Tensor t = tensors.tensor(e.getKey());
      if (!t.dtype().isFloating() || !t.shape().equals(e.getValue())) {
        problems.add(
            "%s is %s%s, expected %s".formatted(e.getKey(), t.dtype(), t.shape(), e.getValue()));
      } else {
        NonFinite.find(t)
            .ifPresent(found ->
                problems.add("%s has %s, expected finite numbers".formatted(e.getKey(), found)));
      }
    }
    unexpected.removeIf(name ->
        PeftNames.parse(name, spec.tensorSuffixes())
            .filter(parsed -> ChangedBase.changesBase(parsed, spec))
            .isPresent());
    unexpected.forEach(name -> problems.add("unexpected " + name));
    if (!problems.isEmpty()) {
      throw new AdapterException(
          "%s does not fit this model and its adapter_config.json:%n  %s"
              .formatted(file, String.join(System.lineSeparator() + "  ", problems)));
    }
  }

  /**
   * Writes an adapter that every reader of PEFT's layout can use on the base model as it is; each
   * file is replaced as a whole or not at all. One whose start changed the base weights is written
   * as plain LoRA of twice the rank.
   *
   * @param baseModel path or name of the base model, for the reader; may be empty
   * @param parameters of a model that was built with {@code spec}
   */
  public static void save(
      Path folder, AdapterSpec spec, String baseModel, Parameters parameters, Kernels kernels) {
    try (SavedAdapter saved = spec.forUnchangedBase(parameters, kernels)) {
      write(folder, saved, baseModel, kernels);
    }
  }

  /**
   * Writes the parameters as they are, to go on from later: one whose start changed the base
   * weights then belongs to a base that is changed in the same way.
   */
  public static void saveExact(
      Path folder, AdapterSpec spec, String baseModel, Parameters parameters, Kernels kernels) {
    try (SavedAdapter saved = SavedAdapter.exact(spec, parameters, kernels)) {
      write(folder, saved, baseModel, kernels);
    }
  }

  private static void write(Path folder, SavedAdapter saved, String baseModel, Kernels kernels) {
    PeftConfig config = new PeftConfig(saved.spec(), baseModel);
    Map<String, Tensor> tensors = new LinkedHashMap<>(saved.tensors());
    Set<String> modules = new LinkedHashSet<>();
    for (String name : tensors.keySet()) {
      PeftNames.parse(name, config.spec().tensorSuffixes())
          .filter(Parsed::isAdapter)
          .ifPresent(n -> modules.add(n.module()));
    }
    try (HostCopies host = new HostCopies(kernels)) {
      Files.createDirectories(folder);
      tensors.replaceAll((name, tensor) -> host.of(tensor));
      SafetensorsWriter.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
      AtomicFile.write(folder.resolve(PeftConfig.FILE), config.toJson(modules));
    } catch (IOException e) {
      throw new AdapterException(
          "cannot write the adapter to %s: %s".formatted(folder, FileProblem.of(e)), e);
    }
  }
}
