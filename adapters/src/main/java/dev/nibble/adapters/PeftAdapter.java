package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Constant;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.PeftNames.Parsed;
import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** PEFT lets pass a target that its model does not have, as long as it has another. */
  private static PeftConfig withNamesInUse(PeftConfig config, Collection<String> tensors) {
    AdapterSpec spec = config.spec();
    TargetModules targets = spec.targets();
    if (!(targets.chosen() instanceof ModuleChoice.Named named)) {
      return config;
    }
    List<String> modules =
        tensors.stream()
            .flatMap(t -> PeftNames.parse(t, spec.tensorSuffixes()).stream())
            .map(Parsed::module)
            .toList();
    List<String> used =
        named.names().stream()
            .filter(n -> modules.stream().anyMatch(m -> ModuleChoice.endsWith(m, n)))
            .toList();
    if (used.isEmpty()) {
      return config;
    }
    TargetModules inUse =
        new TargetModules(new ModuleChoice.Named(used), targets.excluded(), targets.layers());
    return new PeftConfig(spec.withTargets(inUse), config.baseModel());
  }

  private static Path requireWeights(Path folder) {
    Path file = folder.resolve(WEIGHTS);
    if (!Files.isRegularFile(file)) {
      throw new AdapterException("%s holds no %s".formatted(folder, WEIGHTS));
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
      check(file, tensors, parameters);
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
   * Checks that the base weights that PEFT repeats beside adapted embeddings are those of the base
   * model: when the vocabulary was changed, they are not.
   *
   * @throws AdapterException when they differ
   */
  public void checkBase(ShardedSafetensors base) {
    Path file = folder.resolve(WEIGHTS);
    try (SafetensorsFile tensors = Safetensors.open(file)) {
      for (String name : tensors.names()) {
        Optional<Parsed> parsed = PeftNames.parse(name, List.of()).filter(Parsed::isBase);
        String weight = parsed.map(p -> p.module() + ".weight").orElse("");
        if (base.has(weight) && !isSame(base.tensor(weight), tensors.tensor(name))) {
          throw new AdapterException(
              "%s brings its own %s, which is not the base model's; only adapters on an unchanged vocabulary are supported"
                  .formatted(file, weight));
        }
      }
    }
  }

  private static boolean isSame(Tensor a, Tensor b) {
    return a.shape().equals(b.shape())
        && (a.dtype() == b.dtype()
            ? a.memory().mismatch(b.memory()) < 0
            : Arrays.equals(a.toFloats(), b.toFloats()));
  }

  private static boolean isBase(String name) {
    return PeftNames.parse(name, List.of()).filter(Parsed::isBase).isPresent();
  }

  private static void check(Path file, SafetensorsFile tensors, Parameters parameters) {
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
      }
    }
    unexpected.removeIf(PeftAdapter::isBase);
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
    if (spec instanceof LoraSpec lora && lora.start().changesBase()) {
      try (ConvertedLora plain = new ConvertedLora(parameters, kernels)) {
        write(
            folder, new PeftConfig(ConvertedLora.spec(lora), baseModel), plain.tensors(), kernels);
      }
    } else {
      saveExact(folder, spec, baseModel, parameters, kernels);
    }
  }

  /**
   * Writes the parameters as they are, to go on from later: one whose start changed the base
   * weights then belongs to a base that is changed in the same way.
   */
  public static void saveExact(
      Path folder, AdapterSpec spec, String baseModel, Parameters parameters, Kernels kernels) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    parameters.all().forEach(p -> tensors.put(p.name(), p.weight()));
    try (Scope host = Scope.open("constants", Memory.host())) {
      for (Constant c : parameters.constants()) {
        Tensor stored = host.allocate(c.name(), DType.F32, c.shape().dims());
        tensors.put(c.name(), stored.put(c.get(kernels)));
      }
      write(folder, new PeftConfig(spec, baseModel), tensors, kernels);
    }
  }

  private static void write(
      Path folder, PeftConfig config, Map<String, Tensor> tensors, Kernels kernels) {
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
      throw new AdapterException("cannot write the adapter to %s: %s".formatted(folder, e), e);
    }
  }
}
