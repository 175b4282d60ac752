package dev.nibble.cli;

import dev.nibble.recipes.recipe.Machine;
import dev.nibble.recipes.recipe.Machine.Cublas;
import dev.nibble.recipes.recipe.Machine.Debug;
import dev.nibble.recipes.recipe.Machine.Device;
import dev.nibble.recipes.recipe.Machine.DeviceMemory;
import dev.nibble.recipes.schema.AutoFlag;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What computes, for commands without a recipe. */
final class MachineOptions {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      converter = DeviceConverter.class,
      description = "What computes: " + Device.FORMS + " (default auto).")
  private Device device = new Device.Auto();

  @Option(
      names = "--bf16",
      paramLabel = "BF16",
      defaultValue = "auto",
      description =
          "Activations in bfloat16: true, false, or auto, which is true on a GPU and on a CPU that has it.")
  private AutoFlag bf16 = AutoFlag.AUTO;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads of the CPU; 0 for one a core (default).")
  private int threads;

  Machine machine() {
    return new Machine(device, bf16, new Cublas.Auto(), DeviceMemory.AUTO, Debug.NONE, threads);
  }

  /** For picocli. */
  static final class DeviceConverter implements ITypeConverter<Device> {
    @Override
    public Device convert(String text) {
      return Device.parse(text)
          .orElseThrow(
              () -> new TypeConversionException("'" + text + "' is none of " + Device.FORMS));
    }
  }
}
