package dev.nibble.quant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.KernelSet;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** The kernel sets that run on this machine. */
final class EachKernelSet {
  private EachKernelSet() {}

  static Stream<String> names() {
    List<String> names =
        sets().filter(s -> s.unavailableBecause().isEmpty()).map(KernelSet::name).toList();
    assertThat(names).as("kernel sets that run here").isNotEmpty();
    return names.stream();
  }

  static KernelSet named(String name) {
    return sets().filter(s -> s.name().equals(name)).findFirst().orElseThrow();
  }

  private static Stream<KernelSet> sets() {
    return ServiceLoader.load(KernelSet.class).stream().map(ServiceLoader.Provider::get);
  }
}
