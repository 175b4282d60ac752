package dev.nibble.compute.kernels.cuda.work;

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
  private final Context context;
  private final Stream stream;
  private final Programs programs;
  private final Memory memory;
  private final Launch launch;

  private Gpu(Context context, Stream stream, Memory memory, Programs programs, boolean debugSync) {
    this.context = context;
    this.stream = stream;
    this.memory = memory;
    this.programs = programs;
    launch = new Launch(context.device(), stream, programs, debugSync);
  }

  /**
   * Opens a device.
   *
   * @param debugSync whether each launch is waited for, so that its error names it
   * @param host whose memory and stream are used; empty for the driver's
   */
  public static Gpu open(Cuda cuda, int index, boolean debugSync, Optional<CudaHost> host) {
    return open(cuda, index, debugSync, host, Programs.FILES);
  }

  /** Opens a device with the kernels of these PTX files. */
  static Gpu open(
      Cuda cuda, int index, boolean debugSync, Optional<CudaHost> host, List<String> files) {
    cuda.initialize();
    Context context = Context.of(cuda, CudaDevice.of(cuda, index));
    try {
      Optional<CudaHost.Place> place = host.map(h -> h.open(context.device()));
      Stream stream =
          place.map(p -> Stream.lent(context, p.stream())).orElseGet(() -> new Stream(context));
      try {
        Memory memory =
            place.map(CudaHost.Place::memory).orElseGet(() -> new CudaMemory(context, stream));
        return new Gpu(context, stream, memory, new Programs(context, files), debugSync);
      } catch (RuntimeException e) {
        stream.close();
        throw e;
      }
    } catch (RuntimeException e) {
      context.close();
      throw e;
    }
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
    try (context;
        stream;
        programs) {
      if (!context.isLost()) {
        stream.synchronize();
      }
    }
  }
}
