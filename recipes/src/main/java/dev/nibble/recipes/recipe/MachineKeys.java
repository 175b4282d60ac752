package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.recipes.recipe.Recipe.Device;
import dev.nibble.recipes.recipe.Recipe.KernelChoice;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.recipes.schema.Values;
import java.util.List;

/** Keys of what computes. */
final class MachineKeys {
  private MachineKeys() {}

  static final Key<Recipe, Device> DEVICE =
      Key.of(
          "device",
          oneOf(Device.class),
          value(Device.AUTO),
          r -> r.machine().device(),
          "Where the run computes. What was chosen, and why, is the first thing that `train` says.");

  static final Key<Recipe, KernelChoice> KERNELS =
      Key.of(
          "kernels",
          oneOf(KernelChoice.class),
          value(KernelChoice.AUTO),
          r -> r.machine().kernels(),
          "With what: `cpu` is oneDNN and the Vector API, `nd4j` is ND4J alone (portable, slower).");

  static final Key<Recipe, Integer> THREADS =
      Key.of(
          "threads",
          wholeNumber(0),
          value(0),
          r -> r.machine().threads(),
          "Threads; 0 for one a core.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>("Machine", List.of(DEVICE, KERNELS, THREADS)),
          List.of(MachineKeys::checkKernels));

  private static void checkKernels(Values<Recipe> v) {
    if (v.is(DEVICE, Device.CUDA) && v.is(KERNELS, KernelChoice.CPU)) {
      v.problem(KERNELS, "cpu kernels do not run on device: cuda; write auto");
    }
  }

  static Recipe.Machine build(Values<Recipe> v) {
    return new Recipe.Machine(v.get(DEVICE), v.get(KERNELS), v.get(THREADS));
  }
}
