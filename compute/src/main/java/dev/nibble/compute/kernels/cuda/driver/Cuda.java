package dev.nibble.compute.kernels.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.nibble.compute.kernels.Platform;
import dev.nibble.errors.Fault;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The functions of the CUDA driver that we use, each under its C prototype. Handles and device
 * addresses are passed as longs, results go to {@code ADDRESS}es of the host. Once loaded, the
 * library stays loaded.
 */
public final class Cuda {
  /** Names another library than the driver's: a path. */
  public static final String DRIVER_PROPERTY = "nibble.cuda.driver";

  private static final Map<String, Cuda> LOADED = new ConcurrentHashMap<>();

  private final String file;
  private final SymbolLookup library;
  final CudaCall call;

  // CUresult cuInit(unsigned int Flags);
  final MethodHandle init;
  // CUresult cuDriverGetVersion(int *driverVersion);
  final MethodHandle driverGetVersion;

  // CUresult cuDeviceGetCount(int *count);
  final MethodHandle deviceGetCount;
  // CUresult cuDeviceGet(CUdevice *device, int ordinal);
  final MethodHandle deviceGet;
  // CUresult cuDeviceGetName(char *name, int len, CUdevice dev);
  final MethodHandle deviceGetName;
  // CUresult cuDeviceGetPCIBusId(char *pciBusId, int len, CUdevice dev);
  final MethodHandle deviceGetPciBusId;
  // CUresult cuDeviceTotalMem(size_t *bytes, CUdevice dev);
  final MethodHandle deviceTotalMem;
  // CUresult cuDeviceGetAttribute(int *pi, CUdevice_attribute attrib, CUdevice dev);
  final MethodHandle deviceGetAttribute;

  // CUresult cuDevicePrimaryCtxRetain(CUcontext *pctx, CUdevice dev);
  final MethodHandle primaryCtxRetain;
  // CUresult cuDevicePrimaryCtxRelease(CUdevice dev);
  final MethodHandle primaryCtxRelease;
  // CUresult cuCtxSetCurrent(CUcontext ctx);
  final MethodHandle ctxSetCurrent;
  // CUresult cuCtxSynchronize(void);
  final MethodHandle ctxSynchronize;

  // CUresult cuMemGetInfo(size_t *free, size_t *total);
  final MethodHandle memGetInfo;
  // CUresult cuMemAlloc(CUdeviceptr *dptr, size_t bytesize);
  final MethodHandle memAlloc;
  // CUresult cuMemFree(CUdeviceptr dptr);
  final MethodHandle memFree;
  // CUresult cuMemHostAlloc(void **pp, size_t bytesize, unsigned int Flags);
  final MethodHandle memHostAlloc;
  // CUresult cuMemFreeHost(void *p);
  final MethodHandle memFreeHost;
  // CUresult cuMemcpyHtoDAsync(CUdeviceptr dst, const void *src, size_t bytes, CUstream stream);
  final MethodHandle memcpyHtoDAsync;
  // CUresult cuMemcpyDtoHAsync(void *dst, CUdeviceptr src, size_t bytes, CUstream stream);
  final MethodHandle memcpyDtoHAsync;
  // CUresult cuMemcpyDtoDAsync(CUdeviceptr dst, CUdeviceptr src, size_t bytes, CUstream stream);
  final MethodHandle memcpyDtoDAsync;
  // CUresult cuMemsetD8Async(CUdeviceptr dst, unsigned char uc, size_t N, CUstream stream);
  final MethodHandle memsetD8Async;

  // CUresult cuStreamCreate(CUstream *phStream, unsigned int Flags);
  final MethodHandle streamCreate;
  // CUresult cuStreamDestroy(CUstream hStream);
  final MethodHandle streamDestroy;
  // CUresult cuStreamSynchronize(CUstream hStream);
  final MethodHandle streamSynchronize;
  // CUresult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, unsigned int Flags);
  final MethodHandle streamWaitEvent;
  // CUresult cuEventCreate(CUevent *phEvent, unsigned int Flags);
  final MethodHandle eventCreate;
  // CUresult cuEventDestroy(CUevent hEvent);
  final MethodHandle eventDestroy;
  // CUresult cuEventRecord(CUevent hEvent, CUstream hStream);
  final MethodHandle eventRecord;
  // CUresult cuEventElapsedTime(float *pMilliseconds, CUevent hStart, CUevent hEnd);
  final MethodHandle eventElapsedTime;
  // CUresult cuEventSynchronize(CUevent hEvent);
  final MethodHandle eventSynchronize;

  // CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned int numOptions,
  //     CUjit_option *options, void **optionValues);
  final MethodHandle moduleLoadDataEx;
  // CUresult cuModuleUnload(CUmodule hmod);
  final MethodHandle moduleUnload;
  // CUresult cuModuleGetFunction(CUfunction *hfunc, CUmodule hmod, const char *name);
  final MethodHandle moduleGetFunction;
  // CUresult cuFuncSetAttribute(CUfunction hfunc, CUfunction_attribute attrib, int value);
  final MethodHandle funcSetAttribute;
  // CUresult cuLaunchKernel(CUfunction f, unsigned int gridDimX, unsigned int gridDimY,
  //     unsigned int gridDimZ, unsigned int blockDimX, unsigned int blockDimY,
  //     unsigned int blockDimZ, unsigned int sharedMemBytes, CUstream hStream,
  //     void **kernelParams, void **extra);
  final MethodHandle launchKernel;

  private Cuda(String file) {
    this.file = file;
    library = open(file);
    // CUresult cuGetErrorName(CUresult error, const char **pStr);
    // CUresult cuGetErrorString(CUresult error, const char **pStr);
    call =
        new CudaCall(
            handle("cuGetErrorName", JAVA_INT, ADDRESS),
            handle("cuGetErrorString", JAVA_INT, ADDRESS));
    init = handle("cuInit", JAVA_INT);
    driverGetVersion = handle("cuDriverGetVersion", ADDRESS);
    deviceGetCount = handle("cuDeviceGetCount", ADDRESS);
    deviceGet = handle("cuDeviceGet", ADDRESS, JAVA_INT);
    deviceGetName = handle("cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT);
    deviceGetPciBusId = handle("cuDeviceGetPCIBusId", ADDRESS, JAVA_INT, JAVA_INT);
    deviceTotalMem = handle("cuDeviceTotalMem_v2", ADDRESS, JAVA_INT);
    deviceGetAttribute = handle("cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT);
    primaryCtxRetain = handle("cuDevicePrimaryCtxRetain", ADDRESS, JAVA_INT);
    primaryCtxRelease = handle("cuDevicePrimaryCtxRelease_v2", JAVA_INT);
    ctxSetCurrent = handle("cuCtxSetCurrent", JAVA_LONG);
    ctxSynchronize = handle("cuCtxSynchronize");
    memGetInfo = handle("cuMemGetInfo_v2", ADDRESS, ADDRESS);
    memAlloc = handle("cuMemAlloc_v2", ADDRESS, JAVA_LONG);
    memFree = handle("cuMemFree_v2", JAVA_LONG);
    memHostAlloc = handle("cuMemHostAlloc", ADDRESS, JAVA_LONG, JAVA_INT);
    memFreeHost = handle("cuMemFreeHost", JAVA_LONG);
    memcpyHtoDAsync = handle("cuMemcpyHtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    memcpyDtoHAsync = handle("cuMemcpyDtoHAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    memcpyDtoDAsync = handle("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    memsetD8Async = handle("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);
    streamCreate = handle("cuStreamCreate", ADDRESS, JAVA_INT);
    streamDestroy = handle("cuStreamDestroy_v2", JAVA_LONG);
    streamSynchronize = handle("cuStreamSynchronize", JAVA_LONG);
    streamWaitEvent = handle("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);
    eventCreate = handle("cuEventCreate", ADDRESS, JAVA_INT);
    eventDestroy = handle("cuEventDestroy_v2", JAVA_LONG);
    eventRecord = handle("cuEventRecord", JAVA_LONG, JAVA_LONG);
    eventElapsedTime = handle("cuEventElapsedTime", ADDRESS, JAVA_LONG, JAVA_LONG);
    eventSynchronize = handle("cuEventSynchronize", JAVA_LONG);
    moduleLoadDataEx = handle("cuModuleLoadDataEx", ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    moduleUnload = handle("cuModuleUnload", JAVA_LONG);
    moduleGetFunction = handle("cuModuleGetFunction", ADDRESS, JAVA_LONG, ADDRESS);
    funcSetAttribute = handle("cuFuncSetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT);
    launchKernel =
        handle(
            "cuLaunchKernel",
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            ADDRESS,
            ADDRESS);
  }

  /**
   * Loads the machine's driver, or the library that the system property {@value #DRIVER_PROPERTY}
   * names.
   *
   * @throws CudaException when it cannot be loaded
   */
  public static Cuda load() {
    return load(System.getProperty(DRIVER_PROPERTY, library(Platform.here().os())));
  }

  /** The driver's library, by the name under which the dynamic loader finds it. */
  static String library(Platform.Os os) {
    return os == Platform.Os.WINDOWS ? "nvcuda.dll" : "libcuda.so.1";
  }

  /**
   * Loads the driver from a file, or by a name that the dynamic loader knows.
   *
   * @throws CudaException when it cannot be loaded
   */
  public static Cuda load(String file) {
    return LOADED.computeIfAbsent(file, Cuda::new);
  }

  /**
   * Starts the driver; more than once does no harm.
   *
   * @throws CudaException when it cannot start; code 100 when it has no device
   */
  public void initialize() {
    call.run("cuInit", () -> (int) init.invokeExact(0));
  }

  /** Newest CUDA that the driver knows, 1000 major + 10 minor: 11080 for 11.8. */
  public int version() {
    return getInt("cuDriverGetVersion", out -> (int) driverGetVersion.invokeExact(out));
  }

  /** Number of devices; {@link #initialize} comes first. */
  public int devices() {
    return getInt("cuDeviceGetCount", out -> (int) deviceGetCount.invokeExact(out));
  }

  /** A call that writes one result. */
  @FunctionalInterface
  interface Getter {
    int invoke(MemorySegment out) throws Throwable;
  }

  int getInt(String operation, Getter getter) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      call.run(operation, () -> getter.invoke(out));
      return out.get(JAVA_INT, 0);
    }
  }

  long getLong(String operation, Getter getter) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      call.run(operation, () -> getter.invoke(out));
      return out.get(JAVA_LONG, 0);
    }
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup open(String file) {
    try {
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new CudaException(
          Fault.MACHINE,
          "%s cannot be loaded; install NVIDIA's driver, or start the container with --gpus all"
              .formatted(file),
          e);
    }
  }

  @SuppressWarnings("restricted")
  private MethodHandle handle(String symbol, MemoryLayout... arguments) {
    MemorySegment address =
        library
            .find(symbol)
            .orElseThrow(() ->
                new CudaException(
                    "%s has no function %s: update NVIDIA's driver to version 520 or later"
                        .formatted(file, symbol)));
    return Linker.nativeLinker()
        .downcallHandle(address, FunctionDescriptor.of(JAVA_INT, arguments));
  }
}
