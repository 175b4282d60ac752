package dev.nibble.cli;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.recipes.recipe.Machine;
import dev.nibble.recipes.recipe.Machine.Device;
import dev.nibble.recipes.schema.AutoFlag;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options for the kernel set, for commands without a recipe. */
final class MachineOptions {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      converter = DeviceConverter.class,
      description = "Device to compute on: " + Device.FORMS + " (default auto).")
  private Device device = Device.AUTO;

  @Option(
      names = "--bf16",
      paramLabel = "BF16",
      defaultValue = "auto",
      description =
          "Activations in bfloat16: true, false, or auto, which is true on GPUs and on CPUs that support it.")
  private AutoFlag bf16 = AutoFlag.AUTO;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "CPU threads; 0 = one for each core (default).")
  private int threads;

  int threads() {
    return threads;
  }

  Machine machine() {
    return new Machine(
        device.kernels(),
        new KernelOptions(
            threads,
            Machine.activations(bf16),
            device.index(),
            false,
            new Cublas.Auto(),
            DeviceMemory.AUTO));
  }

  /** Picocli's converter of {@code --device}. */
  static final class DeviceConverter implements ITypeConverter<Device> {
    @Override
    public Device convert(String text) {
      return Device.parse(text)
          .orElseThrow(
              () -> new TypeConversionException("'" + text + "' is none of " + Device.FORMS));
    }
  }
}
