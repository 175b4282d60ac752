package dev.nibble.api.machine;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The machine's NVIDIA GPUs, by what the set {@code cuda} says when it is opened on each. */
final class Gpus {
  // More cards than a machine has: asking ends at the first that is not there.
  private static final int MOST = 64;

  private Gpus() {}

  /** {@code card}: whether the system has a device file of NVIDIA's. */
  static List<Finding> findings(List<KernelSet> sets, boolean card) {
    Optional<KernelSet> cuda = sets.stream().filter(s -> s.name().equals("cuda")).findFirst();
    if (cuda.isEmpty()) {
      return List.of(Finding.ok("gpu", "this build has no kernels for GPUs"));
    }
    Optional<String> reason = cuda.get().unavailableBecause();
    if (reason.isPresent()) {
      return List.of(
          card
              ? Finding.warning(
                  "gpu", "an NVIDIA GPU is installed, but cannot be used", reason.get())
              : Finding.ok(
                  "gpu", "no NVIDIA GPU found, training runs on the CPU (" + reason.get() + ")"));
    }
    List<Finding> findings = new ArrayList<>();
    for (int i = 0; i < MOST; i++) {
      Optional<Finding> finding = finding(cuda.get(), i);
      if (finding.isEmpty()) {
        break;
      }
      findings.add(finding.get());
    }
    return findings;
  }

  private static Optional<Finding> finding(KernelSet cuda, int index) {
    KernelOptions options =
        new KernelOptions(
            0,
            Activations.AUTO,
            OptionalInt.of(index),
            KernelOptions.Debug.NONE,
            new KernelOptions.Cublas.Auto(),
            DeviceMemory.AUTO);
    try (Kernels kernels = cuda.open(options)) {
      String text =
          cuda.describe()
              + kernels
                  .memory()
                  .space()
                  .map(space -> ", %s free".formatted(Checkup.size(space.free())))
                  .orElse("");
      return Optional.of(
          text.contains("own products")
              ? Finding.warning(
                  "gpu",
                  text,
                  "cuBLAS makes matrix products faster: install libcublas, or give its path with cublas: in the recipe")
              : Finding.ok("gpu", text));
    } catch (KernelUnavailable e) {
      String message = String.valueOf(e.getMessage());
      return message.contains("is not there")
          ? Optional.empty()
          : Optional.of(Finding.warning("gpu", "cuda:" + index + " cannot be used", message));
    }
  }
}
