package dev.nibble.cli;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.recipes.recipe.Machine;
import dev.nibble.recipes.recipe.Machine.Device;
import dev.nibble.recipes.schema.AutoFlag;
import java.nio.file.Files;
import java.nio.file.Path;
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

  @Option(
      names = "--cublas",
      paramLabel = "WHICH",
      defaultValue = "auto",
      converter = CublasConverter.class,
      description =
          "On a GPU, what multiplies matrices: cuBLAS if it is found (auto, the default), the cuBLAS at a path, or Nibble's own kernels (none).")
  private Cublas cublas = new Cublas.Auto();

  int threads() {
    return threads;
  }

  Machine machine() {
    return machine(KernelOptions.Debug.NONE);
  }

  /** The machine, and what is found out about its kernels. */
  Machine machine(KernelOptions.Debug debug) {
    return new Machine(
        device.kernels(),
        new KernelOptions(
            threads, Machine.activations(bf16), device.index(), debug, cublas, DeviceMemory.AUTO));
  }

  /** Picocli's converter of {@code --cublas}. */
  static final class CublasConverter implements ITypeConverter<Cublas> {
    @Override
    public Cublas convert(String text) {
      return Cublas.named(text).orElseGet(() -> at(text));
    }

    private static Cublas at(String text) {
      Path library = Path.of(text);
      if (!Files.isRegularFile(library)) {
        throw new TypeConversionException(
            "'" + text + "' is neither auto, nor none, nor the path of a library");
      }
      return new Cublas.At(library);
    }
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
