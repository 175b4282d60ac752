package dev.nibble.adapters;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The tensors that {@code modules_to_save} means: those of every module whose path ends with a
 * name.
 */
public final class WholeModules {
  private WholeModules() {}

  /** A copy of names of modules, none of which is blank. */
  static List<String> checkedNames(List<String> names) {
    if (names.stream().anyMatch(String::isBlank)) {
      throw new AdapterException("modules_to_save holds an empty name");
    }
    return List.copyOf(names);
  }

  /** True for a tensor of a module that one of the names means. */
  static boolean has(List<String> names, String tensor) {
    for (int dot = tensor.indexOf('.'); dot > 0; dot = tensor.indexOf('.', dot + 1)) {
      if (names.stream().anyMatch(tensor.substring(0, dot)::endsWith)) {
        return true;
      }
    }
    return false;
  }

  /**
   * The tensors that train as a whole, in the order given.
   *
   * @param names as PEFT matches them: {@code norm} is {@code model.norm}, but also {@code
   *     model.layers.0.input_layernorm}
   * @param tensors of the model
   * @throws AdapterException when a name matches no module, naming all such
   */
  public static Set<String> tensors(List<String> names, List<String> tensors) {
    Set<String> chosen = new LinkedHashSet<>();
    List<String> unknown = new ArrayList<>(names);
    for (String tensor : tensors) {
      if (has(names, tensor)) {
        chosen.add(tensor);
      }
      for (int dot = tensor.indexOf('.'); dot > 0; dot = tensor.indexOf('.', dot + 1)) {
        String module = tensor.substring(0, dot);
        unknown.removeIf(module::endsWith);
      }
    }
    if (!unknown.isEmpty()) {
      List<String> modules = tensors.stream().map(t -> t.substring(0, t.lastIndexOf('.'))).toList();
      throw new AdapterException(
          "modules_to_save %s match no module of the model; its modules are %s"
              .formatted(unknown, TargetModules.shortNames(modules)));
    }
    return chosen;
  }
}
