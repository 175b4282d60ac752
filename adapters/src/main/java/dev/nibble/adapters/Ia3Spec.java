package dev.nibble.adapters;

import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toMap;

import dev.nibble.adapters.Parameters.ParameterGroup;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The description of an IA3 adapter (arXiv:2205.05638): one learned vector l for each target, which
 * scales its outputs, l * (x W^T + bias), or, in feed-forward modules, its inputs, (l * x) W^T +
 * bias. Every l starts as ones.
 *
 * @param feedforward the targets whose inputs are scaled: names that their paths end with, or an
 *     expression; empty for none
 */
public record Ia3Spec(
    TargetModules targets, Optional<ModuleChoice> feedforward, List<String> modulesToSave)
    implements AdapterSpec {

  static final String PEFT_TYPE = "IA3";

  /** PEFT's targets when nothing is said. */
  public static final ModuleChoice DEFAULT_TARGETS = defaultTargets();

  /** PEFT's feed-forward modules when nothing is said. */
  public static final ModuleChoice DEFAULT_FEEDFORWARD =
      new ModuleChoice.Named(List.of("down_proj"));

  private static final String SCALES = ".ia3_l";

  private static final Set<String> KEYS =
      Set.of("exclude_modules", "feedforward_modules", "init_ia3_weights");

  /** Checks that the parts go together. */
  public Ia3Spec {
    modulesToSave = WholeModules.checkedNames(modulesToSave);
    if (targets.layers().isPresent()) {
      throw new AdapterException("IA3 has no layers_to_transform: let target_modules name them");
    }
    feedforward.ifPresent(choice -> check(choice, targets.chosen()));
  }

  private static void check(ModuleChoice feedforward, ModuleChoice targets) {
    if (feedforward instanceof ModuleChoice.Matching || feedforward.equals(DEFAULT_FEEDFORWARD)) {
      return;
    }
    if (!(feedforward instanceof ModuleChoice.Named(List<String> scaled))) {
      throw new AdapterException(
          "feedforward_modules takes a list of module names or a regular expression");
    }
    if (targets instanceof ModuleChoice.Named(List<String> names) && !names.containsAll(scaled)) {
      throw new AdapterException(
          "feedforward_modules %s must be among the target modules %s".formatted(scaled, names));
    }
  }

  private static ModuleChoice defaultTargets() {
    Map<String, List<String>> names =
        new LinkedHashMap<>(
            Stream.of("gemma", "gemma2", "gemma3_text", "qwen2", "qwen3")
                .collect(toMap(type -> type, type -> List.of("q_proj", "v_proj", "down_proj"))));
    names.put("llama", List.of("k_proj", "v_proj", "down_proj"));
    names.put("mistral", List.of("k_proj", "v_proj", "down_proj"));
    return new ModuleChoice.ModelDefault(names);
  }

  @Override
  public String peftType() {
    return PEFT_TYPE;
  }

  @Override
  public Ia3Spec withTargets(TargetModules other) {
    return new Ia3Spec(other, feedforward, modulesToSave);
  }

  @Override
  public String describe() {
    return "IA3 on " + targets.describe();
  }

  /** Whether a target's inputs are scaled. PEFT compares ends of names without a dot before. */
  boolean scalesInput(String module) {
    return feedforward
        .filter(choice ->
            choice instanceof ModuleChoice.Named(List<String> names)
                ? names.stream().anyMatch(module::endsWith)
                : PythonRegex.compile(choice.written()).matcher(module).matches())
        .isPresent();
  }

  /** Name of a module's l. */
  static String scales(String module) {
    return PeftNames.of(module, SCALES);
  }

  @Override
  public void declare(Parameters.Builder builder, List<AdapterTarget> on) {
    for (AdapterTarget t : on) {
      t.requireLinear("IA3");
      long[] dims =
          scalesInput(t.module()) ? new long[] {1, t.inputs()} : new long[] {t.outputs(), 1};
      builder.add(scales(t.module()), ParameterGroup.NORMAL, true, dims);
    }
  }

  @Override
  public Adapter build(
      List<AdapterTarget> on, Parameters parameters, long seed, Kernels kernels, Scope scope) {
    return new Ia3Adapter(this, on, parameters, kernels, scope);
  }

  /**
   * Backward makes the outputs before their scales again; the scales of inputs need the gradient of
   * the input, which is there already where the map gives it.
   */
  @Override
  public double operations(AdapterTarget t, double forwards, boolean inputGradient) {
    boolean free = scalesInput(t.module()) && inputGradient;
    return free ? 0 : 2.0 * t.outputs() * t.inputs();
  }

  @Override
  public void checkTrainable(List<AdapterTarget> on) {
    if (feedforward.isEmpty() || feedforward.get().equals(DEFAULT_FEEDFORWARD)) {
      return;
    }
    List<String> unused = new ArrayList<>();
    if (feedforward.get() instanceof ModuleChoice.Named(List<String> names)) {
      names.stream()
          .filter(name -> on.stream().noneMatch(t -> t.module().endsWith(name)))
          .forEach(unused::add);
    } else if (on.stream().noneMatch(t -> scalesInput(t.module()))) {
      unused.add(feedforward.get().written());
    }
    if (!unused.isEmpty()) {
      throw new AdapterException(
          "feedforward_modules %s match none of the target modules %s"
              .formatted(
                  unused,
                  TargetModules.shortNames(on.stream().map(AdapterTarget::module).toList())));
    }
  }

  @Override
  public List<String> tensorSuffixes() {
    return List.of(SCALES);
  }

  @Override
  public List<TensorMerge> merges(AdapterTensors module) {
    return scalesInput(module.module())
        ? Ia3Merge.ofInputs(module.module(), module.get(SCALES))
        : Ia3Merge.ofOutputs(module.module(), module.get(SCALES));
  }

  @Override
  public Map<String, @Nullable Object> peftKeys(Set<String> targetNames) {
    Map<String, @Nullable Object> json = new TreeMap<>();
    json.put("feedforward_modules", feedforward.map(f -> written(f, targetNames)).orElse(Set.of()));
    json.put("init_ia3_weights", true);
    return json;
  }

  /** PEFT wants names that are among those of the targets. */
  private Object written(ModuleChoice choice, Set<String> targetNames) {
    return choice instanceof ModuleChoice.Named(List<String> names)
        ? targetNames.isEmpty()
            ? new TreeSet<>(names)
            : targetNames.stream().filter(this::scalesInput).collect(toCollection(TreeSet::new))
        : choice.written();
  }

  static Ia3Spec read(PeftJson json) {
    json.findUnsupported(KEYS, Set.of(), Set.of());
    JsonNode given = json.node("feedforward_modules");
    Optional<ModuleChoice> named = json.choice("feedforward_modules");
    Optional<ModuleChoice> feedforward =
        given.isArray() ? named : Optional.of(named.orElse(DEFAULT_FEEDFORWARD));
    return json.build(
        () -> new Ia3Spec(json.targets(DEFAULT_TARGETS), feedforward, json.modulesToSave()));
  }
}
