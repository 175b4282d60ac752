package dev.nibble.adapters;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which modules of a model get an adapter.
 *
 * @param chosen these modules
 * @param excluded but not these
 * @param layers in these layers only
 */
public record TargetModules(
    ModuleChoice chosen, Optional<ModuleChoice> excluded, Optional<Layers> layers) {

  private static final String TARGETS = "target modules";
  private static final String HEAD = "lm_head";

  /**
   * Some layers, counted from 0.
   *
   * @param indices at least one
   * @param patterns names of the module list whose number counts, such as {@code layers}; when
   *     empty, the first number in a module's path counts
   */
  public record Layers(List<Integer> indices, List<String> patterns) {
    /** Copies the lists. */
    public Layers {
      indices = List.copyOf(indices);
      patterns = List.copyOf(patterns);
      if (indices.isEmpty()) {
        throw new AdapterException("layers_to_transform names no layer");
      }
    }

    boolean has(String module) {
      return layer(module).stream().anyMatch(indices::contains);
    }

    /** Without indices that mean none of these modules; empty when none is left. */
    private Optional<Layers> inUse(Set<String> modules) {
      List<Integer> used = new ArrayList<>(indices);
      used.retainAll(layers(modules));
      return used.isEmpty() ? Optional.empty() : Optional.of(new Layers(used, patterns));
    }

    private Set<Integer> layers(Set<String> modules) {
      Set<Integer> layers = new TreeSet<>();
      modules.forEach(m -> layer(m).ifPresent(layers::add));
      return layers;
    }

    private void requireUse(Set<String> modules) {
      Set<Integer> there = layers(modules);
      List<Integer> unknown = indices.stream().filter(i -> !there.contains(i)).toList();
      if (!unknown.isEmpty()) {
        throw new AdapterException(
            there.isEmpty()
                ? "layers_to_transform %s: no target module is in a layer%s"
                    .formatted(indices, patterns.isEmpty() ? "" : " of layers_pattern " + patterns)
                : "layers_to_transform %s match no target module; the layers with one are %s"
                    .formatted(unknown, there));
      }
    }

    /** The layer that a module is in. */
    private OptionalInt layer(String module) {
      List<String> before =
          patterns.isEmpty()
              ? List.of(".*?\\.[^.]*")
              : patterns.stream().map(p -> "(?:^|.*?\\.)" + p).toList();
      for (String path : before) {
        Matcher m = PythonRegex.compile(path + "\\.(?<index>\\d+)\\.").matcher(module);
        if (m.lookingAt()) {
          return OptionalInt.of(Integer.parseInt(m.group("index")));
        }
      }
      return OptionalInt.empty();
    }
  }

  /** Checks that the choice can be narrowed to layers. */
  public TargetModules {
    if (layers.isPresent() && chosen instanceof ModuleChoice.Matching) {
      throw new AdapterException(
          "layers_to_transform does not go with a regular expression as target_modules: let the expression name the layers");
    }
    if (excluded.isPresent()
        && !(excluded.get() instanceof ModuleChoice.Named
            || excluded.get() instanceof ModuleChoice.Matching)) {
      throw new AdapterException(
          "exclude_modules takes a list of module names or a regular expression");
    }
  }

  /** Every linear module except the output head. */
  public static TargetModules allLinear() {
    return of(new ModuleChoice.AllLinear());
  }

  /** Modules named so, see {@link ModuleChoice.Named}. */
  public static TargetModules named(List<String> names) {
    return of(new ModuleChoice.Named(names));
  }

  /** These modules, in all layers. */
  public static TargetModules of(ModuleChoice chosen) {
    return new TargetModules(chosen, Optional.empty(), Optional.empty());
  }

  /** Without some modules. */
  public TargetModules except(ModuleChoice others) {
    return new TargetModules(chosen, Optional.of(others), layers);
  }

  /** In some layers only. */
  public TargetModules in(Layers some) {
    return new TargetModules(chosen, excluded, Optional.of(some));
  }

  /** Without names and layers that mean none of these modules, see {@link AdapterSpec#inUse}. */
  TargetModules inUse(Set<String> modules, boolean withHead) {
    ModuleChoice choice = chosen;
    if (chosen instanceof ModuleChoice.Named(List<String> names)) {
      List<String> used = new ArrayList<>(names);
      used.removeIf(n -> modules.stream().noneMatch(m -> ModuleChoice.endsWith(m, n)));
      if (withHead && modules.contains(HEAD) && !used.contains(HEAD)) {
        used.add(HEAD);
      }
      choice = used.isEmpty() ? chosen : new ModuleChoice.Named(used);
    }
    return new TargetModules(choice, excluded, layers.flatMap(l -> l.inUse(modules)));
  }

  /**
   * Checks that every layer and every exclusion means something.
   *
   * @throws AdapterException when one does not
   */
  public void requireUse(ModelModules model) {
    excluded.ifPresent(choice -> choice.in(model, "excluded modules"));
    layers.ifPresent(l -> l.requireUse(chosen.in(model, TARGETS)));
  }

  /**
   * The targets among a model's modules, in the model's order.
   *
   * @param modulesToSave modules that train as a whole, and so get no adapter: names that stand
   *     anywhere in a module's path
   * @throws AdapterException when a name or an expression matches no module, or none is left
   */
  public Set<String> resolve(ModelModules model, List<String> modulesToSave) {
    Set<String> targets = new LinkedHashSet<>();
    Set<String> matched = chosen.in(model, TARGETS);
    List<Pattern> whole =
        modulesToSave.stream()
            .map(m -> PythonRegex.compile("(^|.*\\.)" + m + "($|\\..*)"))
            .toList();
    Set<String> except = new LinkedHashSet<>();
    excluded.ifPresent(choice -> except.addAll(choice.find(model)));
    for (String module : matched) {
      if (!except.contains(module)
          && whole.stream().noneMatch(p -> p.matcher(module).lookingAt())
          && (layers.isEmpty() || isWholeName(module) || layers.get().has(module))) {
        targets.add(module);
      }
    }
    if (targets.isEmpty()) {
      throw new AdapterException(
          "no target module is left of %s; left out are: %s"
              .formatted(shortNames(matched), String.join(", ", reasons(modulesToSave))));
    }
    return targets;
  }

  /** A module that is named by its whole path counts in whatever layer it is, as in PEFT. */
  private boolean isWholeName(String module) {
    return chosen instanceof ModuleChoice.Named named && named.names().contains(module);
  }

  private List<String> reasons(List<String> modulesToSave) {
    List<String> reasons = new ArrayList<>();
    excluded.ifPresent(e -> reasons.add("exclude_modules " + e.written()));
    layers.ifPresent(l -> reasons.add("all layers but " + l.indices()));
    if (!modulesToSave.isEmpty()) {
      reasons.add("modules_to_save " + modulesToSave);
    }
    return reasons;
  }

  /** The choice in a few words. */
  String describe() {
    return chosen instanceof ModuleChoice.Named named
        ? String.join(", ", named.names())
        : chosen instanceof ModuleChoice.AllLinear ? "all linear layers" : chosen.written();
  }

  static Set<String> shortNames(Iterable<String> modules) {
    Set<String> names = new TreeSet<>();
    modules.forEach(m -> names.add(m.substring(m.lastIndexOf('.') + 1)));
    return names;
  }
}
