package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.compute.kernels.KernelOptions.Debug;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.recipes.recipe.Machine.Device;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema.Group;
import java.util.List;

/** Keys of the kernel set and its options. */
final class MachineKeys {
  private MachineKeys() {}

  static final Key<Recipe, Device> DEVICE =
      Key.of(
          "device",
          new MachineTypes.DeviceType(),
          value(Device.AUTO),
          r -> r.machine().device(),
          "The kernel set: `cuda` is an NVIDIA GPU (`cuda:1` the second), `cpu` is oneDNN and the Vector API, `nd4j` is ND4J (portable, slow). `auto` takes the first of these that works on this machine. `train` prints the choice.");

  static final Key<Recipe, Activations> BF16 =
      Key.of(
          "bf16",
          new MachineTypes.Bf16Type(),
          value(Activations.AUTO),
          r -> r.machine().options().activations(),
          "Activations and their gradients in bfloat16; what trains stays in float32. `auto`: yes on a GPU, and on a CPU that multiplies bfloat16 (avx512_bf16 or amx_bf16). With `nd4j` they always have 32 bits.");

  static final Key<Recipe, Cublas> CUBLAS =
      Key.of(
          "cublas",
          new MachineTypes.CublasType(),
          value(new Cublas.Auto()),
          r -> r.machine().options().cublas(),
          "On a GPU: use NVIDIA's cuBLAS for matrix products if it is found (`auto`), Nibble's own kernels (`none`), or the cuBLAS at a given path (`libcublas.so.12` or later).");

  static final Key<Recipe, DeviceMemory> DEVICE_MEMORY =
      Key.of(
          "device_memory",
          oneOf(DeviceMemory.class),
          value(DeviceMemory.AUTO),
          r -> r.machine().options().deviceMemory(),
          "On a GPU: what allocates its memory. `nd4j`: tensors lie in INDArrays of ND4J's CUDA backend and kernels run on its stream (built with `-Pnd4j-cuda`, for cards up to compute capability 8.9); `driver`: NVIDIA's driver; `auto`: ND4J where that can, else the driver.");

  static final Key<Recipe, Debug> DEBUG =
      Key.of(
          "debug",
          oneOf(Debug.class),
          value(Debug.NONE),
          r -> r.machine().options().debug(),
          "`sync` waits for each GPU kernel, so that an error names the kernel and its arguments. Slow. `profile` prints after training how long each kernel took, from the second step on, and what part of the machine's measured rate it reached; a few percent slower.");

  static final Key<Recipe, Integer> THREADS =
      Key.of(
          "threads",
          wholeNumber(0),
          value(0),
          r -> r.machine().options().threads(),
          "CPU threads; 0 = one for each core.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>("Machine", List.of(DEVICE, BF16, CUBLAS, DEVICE_MEMORY, DEBUG, THREADS)),
          List.of(MachineKeys::checkDevice));

  /** Rejects settings for a GPU when the device is none. */
  private static void checkDevice(KeyValues<Recipe> v) {
    Device device = v.find(DEVICE).orElse(Device.AUTO);
    if (!device.isHost()) {
      return;
    }
    String needsGpu = "needs device: cuda, this recipe says device: " + device + "; remove it";
    if (v.is(BF16, Activations.BF16) && device.kernels().equals("nd4j")) {
      v.problem(BF16, "true needs device: cuda or cpu, this recipe says device: nd4j; remove it");
    }
    if (v.find(CUBLAS).filter(Cublas.At.class::isInstance).isPresent()) {
      v.problem(CUBLAS, "a library " + needsGpu);
    }
    if (v.given(DEVICE_MEMORY) && !v.is(DEVICE_MEMORY, DeviceMemory.AUTO)) {
      v.problem(DEVICE_MEMORY, DEVICE_MEMORY.type().plain(v.get(DEVICE_MEMORY)) + " " + needsGpu);
    }
  }

  static Machine build(KeyValues<Recipe> v) {
    Device device = v.get(DEVICE);
    return new Machine(
        device.kernels(),
        new KernelOptions(
            v.get(THREADS),
            v.get(BF16),
            device.index(),
            v.get(DEBUG),
            v.get(CUBLAS),
            v.get(DEVICE_MEMORY)));
  }
}
