package dev.nibble.api;

import dev.nibble.compute.kernels.DistantKernels;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cpu.CpuKernelSet;
import dev.nibble.compute.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.Optional;

/** {@link DistantKernels} over the CPU's, in the place of all installed sets. */
public class DistantSet implements KernelSet {

  /** The reference kernels with activations in bfloat16. */
  public static final class InBf16 extends DistantSet {
    @Override
    public Kernels open(KernelOptions options) {
      return DistantKernels.ofReference(DType.BF16);
    }
  }

  /** Runs with this set as the only one. */
  static void alone(Class<? extends KernelSet> set, Path folder, Runnable run) {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(new OnlyProvider(before, set, folder.resolve("provider")));
    try {
      run.run();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /** Shows one kernel set where a ServiceLoader looks for them. */
  private static final class OnlyProvider extends ClassLoader {
    private final URL provider;

    OnlyProvider(ClassLoader parent, Class<?> set, Path file) {
      super(parent);
      try {
        this.provider = Files.writeString(file, set.getName()).toUri().toURL();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      return name.equals("META-INF/services/" + KernelSet.class.getName())
          ? Collections.enumeration(Collections.singleton(provider))
          : super.getResources(name);
    }
  }

  @Override
  public String name() {
    return "distant";
  }

  @Override
  public Optional<String> unavailableBecause() {
    return Optional.empty();
  }

  @Override
  public String describe() {
    return "for tests";
  }

  @Override
  public Kernels open(KernelOptions options) {
    return DistantKernels.of(new CpuKernelSet().open(options));
  }
}
