package dev.nibble.quant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.DistantKernels;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import java.util.List;
import java.util.stream.Stream;

/** The kernel sets that run on this machine, and one whose memory Java cannot touch. */
public final class EachKernelSet {
  private static final String DISTANT = "distant";

  private EachKernelSet() {}

  public static Stream<String> names() {
    List<String> names =
        KernelSets.installed().stream()
            .filter(s -> s.unavailableBecause().isEmpty())
            .map(KernelSet::name)
            .toList();
    assertThat(names).as("kernel sets that run here").isNotEmpty();
    return Stream.concat(names.stream(), Stream.of(DISTANT));
  }

  public static Kernels open(String name) {
    return name.equals(DISTANT)
        ? DistantKernels.of(host())
        : KernelSets.require(name).open(KernelOptions.exact(0));
  }

  /** One whose tensors Java can touch. */
  public static Kernels host() {
    return KernelSets.require("cpu").open(KernelOptions.exact(0));
  }
}
