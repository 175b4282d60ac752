package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.KernelOptions.Debug;
import dev.nibble.compute.kernels.KernelProfile;
import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.cuda.driver.Context;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.kernels.cuda.driver.CudaDevice;
import dev.nibble.compute.kernels.cuda.driver.CudaMemory;
import dev.nibble.compute.kernels.cuda.driver.Stream;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** An opened device: its context, the one stream of the set, its memory and the set's kernels. */
public final class Gpu implements AutoCloseable {
  private final Owned owned = new Owned();
  private final Context context;
  private final Stream stream;
  private final Memory memory;
  private final Optional<LaunchClock> clock;
  private final Launch launch;

  private Gpu(Context context, Debug debug, Optional<CudaHost> host, List<String> files) {
    this.context = owned.add(context, Context::close);
    try {
      Optional<CudaHost.Place> place = host.map(h -> h.open(context.device()));
      stream =
          owned.add(
              place.map(p -> Stream.lent(context, p.stream())).orElseGet(() -> new Stream(context)),
              Stream::close);
      memory = place.map(CudaHost.Place::memory).orElseGet(() -> new CudaMemory(context, stream));
      Programs programs = owned.add(new Programs(context, files), Programs::close);
      Uploads uploads = owned.add(new Uploads(context, stream), Uploads::close);
      clock =
          debug == Debug.PROFILE
              ? Optional.of(owned.add(new LaunchClock(context, stream), LaunchClock::close))
              : Optional.empty();
      launch = new Launch(context.device(), stream, uploads, programs, debug == Debug.SYNC, clock);
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  /**
   * Opens a device.
   *
   * @param debug what is found out about launches
   * @param host whose memory and stream are used; empty for the driver's
   */
  public static Gpu open(Cuda cuda, int index, Debug debug, Optional<CudaHost> host) {
    return open(cuda, index, debug, host, Programs.FILES);
  }

  /** Opens a device with the kernels of these PTX files. */
  static Gpu open(Cuda cuda, int index, Debug debug, Optional<CudaHost> host, List<String> files) {
    cuda.initialize();
    return new Gpu(Context.of(cuda, CudaDevice.of(cuda, index)), debug, host, files);
  }

  /** The device. */
  public CudaDevice device() {
    return context.device();
  }

  /** Its memory. */
  public Memory memory() {
    return memory;
  }

  /** How the kernels of this device are launched. */
  public Launch launch() {
    return launch;
  }

  /** Times of launches, where the device was opened to find them out. */
  public Optional<KernelProfile> profile() {
    return clock.map(c -> c);
  }

  /** Pages that do not all stay on the device. */
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    int stay = paging.residentPages(pageBytes);
    Pager resident = Pager.resident(scope, Arrays.copyOf(pageBytes, stay));
    return stay == pageBytes.length
        ? resident
        : new StreamedPages(
            context, stream, paging.buffers(scope, pageBytes), resident, stay, pageBytes);
  }

  /**
   * Waits for the set's work and closes the device. Callers' memory stays until they close its
   * scope.
   */
  @Override
  public void close() {
    try (owned) {
      if (!context.isLost()) {
        stream.synchronize();
      }
    }
  }
}
