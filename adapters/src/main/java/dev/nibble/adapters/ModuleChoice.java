package dev.nibble.adapters;

import static java.util.stream.Collectors.toMap;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A choice of modules, in one of PEFT's four ways. */
public sealed interface ModuleChoice {

  /** Every linear module except the output head: {@code all-linear}. */
  record AllLinear() implements ModuleChoice {}

  /**
   * Modules whose full name is one of these, or ends with a dot and one of these, such as {@code
   * q_proj}.
   *
   * @param names at least one
   */
  record Named(List<String> names) implements ModuleChoice {
    /** Copies the names. */
    public Named {
      names = List.copyOf(names);
      if (names.isEmpty()) {
        throw new AdapterException(
            "no target modules: name at least one, for example q_proj, or write all-linear");
      }
    }
  }

  /**
   * Modules whose whole name a regular expression matches.
   *
   * @param regex in Python's syntax
   */
  record Matching(String regex) implements ModuleChoice {
    /** Checks the syntax. */
    public Matching {
      PythonRegex.compile(regex);
    }
  }

  /**
   * What PEFT takes for a model's type when nothing is said.
   *
   * @param namesByModelType last names of the modules
   */
  record ModelDefault(Map<String, List<String>> namesByModelType) implements ModuleChoice {
    /** The default of LoRA and its kin: projections of queries and values. */
    public static final ModelDefault QUERY_AND_VALUE =
        new ModelDefault(
            Stream.of("llama", "mistral", "gemma", "gemma2", "gemma3_text", "qwen2", "qwen3")
                .collect(toMap(type -> type, type -> List.of("q_proj", "v_proj"))));

    /** Copies the map. */
    public ModelDefault {
      namesByModelType = Map.copyOf(namesByModelType);
    }

    private List<String> names(String modelType) {
      List<String> names = namesByModelType.get(modelType);
      if (names == null) {
        throw new AdapterException(
            "target_modules is not given, and PEFT has no default for model type %s: name modules, or write all-linear"
                .formatted(modelType));
      }
      return names;
    }
  }

  /**
   * The chosen among a model's modules, in the model's order.
   *
   * @param what is chosen, for the error
   * @throws AdapterException when a name or an expression matches none, listing all such names and
   *     those there are
   */
  default Set<String> in(ModelModules model, String what) {
    Set<String> chosen = find(model);
    switch (this) {
      case AllLinear all -> {}
      case Named named -> requireMatches(named.names(), model, what);
      case ModelDefault unsaid -> requireMatches(unsaid.names(model.modelType()), model, what);
      case Matching matching when chosen.isEmpty() ->
          throw new AdapterException(
              "%s \"%s\": the expression matches no module as a whole; modules are called %s"
                  .formatted(what, matching.regex(), examples(model)));
      case Matching matching -> {}
    }
    return chosen;
  }

  /** The same where it does not matter whether there are any. */
  default Set<String> find(ModelModules model) {
    return switch (this) {
      case AllLinear all -> new LinkedHashSet<>(model.linears());
      case Named named -> named(named.names(), model);
      case Matching matching -> matching(matching.regex(), model);
      case ModelDefault unsaid -> named(unsaid.names(model.modelType()), model);
    };
  }

  private static void requireMatches(List<String> names, ModelModules model, String what) {
    List<String> unknown =
        names.stream()
            .filter(name -> model.all().stream().noneMatch(m -> endsWith(m, name)))
            .toList();
    if (!unknown.isEmpty()) {
      throw new AdapterException(
          "%s %s match no module of the model; its modules are %s"
              .formatted(what, unknown, TargetModules.shortNames(model.all())));
    }
  }

  private static Set<String> named(List<String> names, ModelModules model) {
    Set<String> chosen = new LinkedHashSet<>();
    for (String m : model.all()) {
      if (names.stream().anyMatch(name -> endsWith(m, name))) {
        chosen.add(m);
      }
    }
    return chosen;
  }

  private static Set<String> matching(String regex, ModelModules model) {
    Pattern pattern = PythonRegex.compile(regex);
    Set<String> chosen = new LinkedHashSet<>();
    for (String m : model.all()) {
      if (pattern.matcher(m).matches()) {
        chosen.add(m);
      }
    }
    return chosen;
  }

  /** One full name for each last name. */
  private static String examples(ModelModules model) {
    Map<String, String> byShortName = new TreeMap<>();
    for (String m : model.all()) {
      byShortName.putIfAbsent(m.substring(m.lastIndexOf('.') + 1), m);
    }
    return String.join(", ", byShortName.values());
  }

  static boolean endsWith(String module, String name) {
    return module.equals(name) || module.endsWith("." + name);
  }

  /** As a recipe or PEFT's config writes it. */
  default String written() {
    return switch (this) {
      case AllLinear all -> "all-linear";
      case Named named -> named.names().toString();
      case Matching matching -> matching.regex();
      case ModelDefault unsaid -> "null";
    };
  }
}
