package dev.nibble.api.runs;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.recipes.recipe.Machine;
import java.nio.file.Path;
import java.util.OptionalInt;

/** The kernels that a recipe's words about the machine stand for. */
public record MachineWiring(Machine machine) {

  /** What computes. */
  public KernelSet kernelSet() {
    return KernelSets.choose(asked());
  }

  /** The name of a kernel set, or {@link KernelSets#AUTO}. */
  public String asked() {
    return switch (machine.device()) {
      case Machine.Device.Auto a -> KernelSets.AUTO;
      case Machine.Device.Cpu c -> "cpu";
      case Machine.Device.Nd4j n -> "nd4j";
      case Machine.Device.Cuda c -> "cuda";
    };
  }

  /** How it is opened. */
  public KernelOptions options() {
    return new KernelOptions(
        machine.threads(),
        switch (machine.bf16()) {
          case AUTO -> KernelOptions.Activations.AUTO;
          case TRUE -> KernelOptions.Activations.BF16;
          case FALSE -> KernelOptions.Activations.F32;
        },
        machine.device() instanceof Machine.Device.Cuda(OptionalInt index)
            ? index
            : OptionalInt.empty(),
        machine.debug() == Machine.Debug.SYNC,
        switch (machine.cublas()) {
          case Machine.Cublas.Auto a -> new KernelOptions.Cublas.Auto();
          case Machine.Cublas.None n -> new KernelOptions.Cublas.None();
          case Machine.Cublas.At(Path library) -> new KernelOptions.Cublas.At(library);
        },
        switch (machine.deviceMemory()) {
          case AUTO -> KernelOptions.DeviceMemory.AUTO;
          case DRIVER -> KernelOptions.DeviceMemory.DRIVER;
          case ND4J -> KernelOptions.DeviceMemory.ND4J;
        });
  }
}
