package dev.nibble.adapters;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Which linear modules of a model get an adapter. */
public sealed interface TargetModules {

  /** Every linear module except the output head: {@code all-linear}. */
  record AllLinear() implements TargetModules {}

  /**
   * Modules whose full name is one of these, or ends with a dot and one of these, such as {@code
   * q_proj}.
   *
   * @param names at least one
   */
  record Named(List<String> names) implements TargetModules {
    /** Copies the names. */
    public Named {
      names = List.copyOf(names);
      if (names.isEmpty()) {
        throw new AdapterException(
            "no target modules: name at least one, for example q_proj, or write all-linear");
      }
    }
  }

  /** Every linear module except the output head. */
  static TargetModules allLinear() {
    return new AllLinear();
  }

  /** Modules named so, see {@link Named}. */
  static TargetModules named(List<String> names) {
    return new Named(names);
  }

  /**
   * The targets among a model's modules, in the model's order.
   *
   * @param modules full names of the model's linear modules, the output head left out
   * @throws AdapterException when a name matches none, listing all such names and those there are
   */
  default Set<String> resolve(List<String> modules) {
    return switch (this) {
      case AllLinear all -> new LinkedHashSet<>(modules);
      case Named named -> {
        List<String> unknown =
            named.names().stream()
                .filter(name -> modules.stream().noneMatch(m -> matches(m, name)))
                .toList();
        if (!unknown.isEmpty()) {
          throw new AdapterException(
              "target modules %s match no linear module of the model; its modules are %s"
                  .formatted(unknown, shortNames(modules)));
        }
        Set<String> chosen = new LinkedHashSet<>();
        for (String m : modules) {
          if (named.names().stream().anyMatch(name -> matches(m, name))) {
            chosen.add(m);
          }
        }
        yield chosen;
      }
    };
  }

  private static boolean matches(String module, String name) {
    return module.equals(name) || module.endsWith("." + name);
  }

  private static Set<String> shortNames(List<String> modules) {
    Set<String> names = new TreeSet<>();
    modules.forEach(m -> names.add(m.substring(m.lastIndexOf('.') + 1)));
    return names;
  }
}
