package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cuda.cublas.Cublas;
import dev.nibble.compute.kernels.cuda.cublas.CublasException;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.kernels.cuda.driver.CudaDevice;
import dev.nibble.compute.kernels.cuda.driver.CudaException;
import dev.nibble.compute.kernels.cuda.work.CudaHost;
import dev.nibble.compute.kernels.cuda.work.Gpu;
import dev.nibble.compute.tensor.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** The fast set for NVIDIA GPUs of compute capability 8.0 (Ampere) or later. */
public final class CudaKernelSet implements KernelSet {
  // The PTX is of version 7.8, which came with CUDA 11.8 and driver 520.
  private static final int OLDEST_CUDA = 11080;
  private static final int OLDEST_CAPABILITY = 8;

  private final Supplier<Cuda> driver;
  private volatile OptionalInt opened = OptionalInt.empty();
  private volatile String choices = "";

  /** For {@link java.util.ServiceLoader}: with the machine's driver. */
  public CudaKernelSet() {
    this(Cuda::load);
  }

  /** With this driver. */
  CudaKernelSet(Supplier<Cuda> driver) {
    this.driver = driver;
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Optional<String> unavailableBecause() {
    try {
      Cuda cuda = driver.get();
      if (cuda.version() < OLDEST_CUDA) {
        return Optional.of(
            "NVIDIA's driver is of CUDA %s and the kernels need 11.8; update the driver to version 520 or later"
                .formatted(version(cuda)));
      }
      cuda.initialize();
      int devices = cuda.devices();
      return devices == 0 ? Optional.of("the driver has no device") : tooOld(cuda, devices);
    } catch (CudaException e) {
      return Optional.of(e.problem());
    }
  }

  /** Why no device is new enough: the reason for the first; empty when one is. */
  private static Optional<String> tooOld(Cuda cuda, int devices) {
    return IntStream.range(0, devices).anyMatch(i -> tooOld(CudaDevice.of(cuda, i)).isEmpty())
        ? Optional.empty()
        : tooOld(CudaDevice.of(cuda, 0));
  }

  private static Optional<String> tooOld(CudaDevice device) {
    return device.major() >= OLDEST_CAPABILITY
        ? Optional.empty()
        : Optional.of(
            "%s has compute capability %s and the kernels need 8.0 (Ampere) or later; use the kernel set cpu"
                .formatted(device.name(), device.capability()));
  }

  @Override
  public String describe() {
    Optional<String> reason = unavailableBecause();
    if (reason.isPresent()) {
      return "not available: " + reason.get();
    }
    Cuda cuda = driver.get();
    CudaDevice device = choose(cuda, opened);
    return "%s (cuda:%d, PCI %s), compute capability %s, %.1f GiB, driver of CUDA %s%s"
        .formatted(
            device.name(),
            device.index(),
            device.busId(),
            device.capability(),
            device.memory() / (double) (1L << 30),
            version(cuda),
            choices);
  }

  private static String version(Cuda cuda) {
    return cuda.version() / 1000 + "." + cuda.version() % 1000 / 10;
  }

  @Override
  public Kernels open(KernelOptions options) {
    unavailableBecause()
        .ifPresent(reason -> {
          throw new KernelUnavailable("kernel set cuda cannot run here: " + reason);
        });
    try {
      Cuda cuda = driver.get();
      CudaDevice device = choose(cuda, options.device());
      DType activations = options.activations() == Activations.F32 ? DType.F32 : DType.BF16;
      Optional<CudaHost> host = host(options.deviceMemory(), device);
      Optional<Cublas> cublas = cublas(options.cublas(), cuda);
      CudaKernels kernels =
          new CudaKernels(
              Gpu.open(cuda, device.index(), options.debug(), host), activations, cublas);
      opened = OptionalInt.of(device.index());
      choices =
          ", %s, %s%s%s"
              .formatted(
                  kernels.describeProducts(),
                  activations == DType.BF16 ? "bf16" : "f32",
                  host.map(h -> ", memory and stream of " + h.name()).orElse(""),
                  describe(options.debug()));
      return kernels;
    } catch (CudaException | CublasException e) {
      throw new KernelUnavailable("kernel set cuda cannot run here", e);
    }
  }

  private static String describe(KernelOptions.Debug debug) {
    return switch (debug) {
      case NONE -> "";
      case SYNC -> ", waiting for each kernel";
      case PROFILE -> ", timing each kernel";
    };
  }

  private static Optional<Cublas> cublas(KernelOptions.Cublas wanted, Cuda cuda) {
    return switch (wanted) {
      case KernelOptions.Cublas.Auto() -> Cublas.find(cuda.version() / 1000);
      case KernelOptions.Cublas.None() -> Optional.empty();
      case KernelOptions.Cublas.At(Path library) -> Optional.of(Cublas.load(library));
    };
  }

  /** The library that lends memory; empty for the driver's. */
  private static Optional<CudaHost> host(DeviceMemory wanted, CudaDevice device) {
    if (wanted == DeviceMemory.DRIVER) {
      return Optional.empty();
    }
    List<CudaHost> installed =
        ServiceLoader.load(CudaHost.class).stream().map(ServiceLoader.Provider::get).toList();
    if (wanted == DeviceMemory.AUTO) {
      return installed.stream().filter(h -> h.unavailableBecause(device).isEmpty()).findFirst();
    }
    String name = wanted.name().toLowerCase(Locale.ROOT);
    CudaHost host =
        installed.stream()
            .filter(h -> h.name().equals(name))
            .findFirst()
            .orElseThrow(() ->
                new KernelUnavailable(
                    "device memory from %s: it is not on the class path".formatted(name)));
    host.unavailableBecause(device)
        .ifPresent(reason -> {
          throw new KernelUnavailable("device memory from %s: %s".formatted(name, reason));
        });
    return Optional.of(host);
  }

  /** The device of this number, or the first that is new enough. */
  private static CudaDevice choose(Cuda cuda, OptionalInt wanted) {
    int devices = cuda.devices();
    if (wanted.isEmpty()) {
      return IntStream.range(0, devices)
          .mapToObj(i -> CudaDevice.of(cuda, i))
          .filter(d -> tooOld(d).isEmpty())
          .findFirst()
          .orElseThrow();
    }
    int index = wanted.getAsInt();
    if (index >= devices) {
      throw new KernelUnavailable(
          "cuda:%d is not there, the driver has %s"
              .formatted(index, devices == 1 ? "cuda:0 alone" : "cuda:0 to cuda:" + (devices - 1)));
    }
    CudaDevice device = CudaDevice.of(cuda, index);
    tooOld(device)
        .ifPresent(reason -> {
          throw new KernelUnavailable("cuda:%d: %s".formatted(index, reason));
        });
    return device;
  }
}
