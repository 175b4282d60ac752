package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.recipes.recipe.Machine.Cublas;
import dev.nibble.recipes.recipe.Machine.Debug;
import dev.nibble.recipes.recipe.Machine.Device;
import dev.nibble.recipes.recipe.Machine.DeviceMemory;
import dev.nibble.recipes.schema.AutoFlag;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyTypes;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.recipes.schema.Values;
import java.util.List;

/** Keys of what computes. */
final class MachineKeys {
  private MachineKeys() {}

  static final Key<Recipe, Device> DEVICE =
      Key.of(
          "device",
          new MachineTypes.DeviceType(),
          value(new Device.Auto()),
          r -> r.machine().device(),
          "What computes: `cuda` is an NVIDIA GPU (`cuda:1` the second), `cpu` is oneDNN and the Vector API, `nd4j` is ND4J (portable, slow). `auto` takes the first of these that runs here. What was chosen, and why, is the first thing that `train` says.");

  static final Key<Recipe, AutoFlag> BF16 =
      Key.of(
          "bf16",
          KeyTypes.autoFlag(),
          value(AutoFlag.AUTO),
          r -> r.machine().bf16(),
          "Activations and their gradients in bfloat16; what trains stays in float32. `auto`: yes on a GPU, and on a CPU that multiplies bfloat16 (avx512_bf16 or amx_bf16). With `nd4j` they always have 32 bits.");

  static final Key<Recipe, Cublas> CUBLAS =
      Key.of(
          "cublas",
          new MachineTypes.CublasType(),
          value(new Cublas.Auto()),
          r -> r.machine().cublas(),
          "On a GPU: matrix products of NVIDIA's cuBLAS where it is found (`auto`), Nibble's own (`none`), or those of a given `libcublas.so.12` or later.");

  static final Key<Recipe, DeviceMemory> DEVICE_MEMORY =
      Key.of(
          "device_memory",
          oneOf(DeviceMemory.class),
          value(DeviceMemory.AUTO),
          r -> r.machine().deviceMemory(),
          "On a GPU: who allocates its memory. `nd4j`: tensors lie in INDArrays of ND4J's CUDA backend and kernels run on its stream (built with `-Pnd4j-cuda`, for cards up to compute capability 8.9); `driver`: NVIDIA's driver; `auto`: ND4J where that can, else the driver.");

  static final Key<Recipe, Debug> DEBUG =
      Key.of(
          "debug",
          oneOf(Debug.class),
          value(Debug.NONE),
          r -> r.machine().debug(),
          "`sync` waits for each kernel of the GPU, so that an error names the kernel and its arguments. Slow.");

  static final Key<Recipe, Integer> THREADS =
      Key.of(
          "threads",
          wholeNumber(0),
          value(0),
          r -> r.machine().threads(),
          "Threads of the CPU; 0 for one a core.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>("Machine", List.of(DEVICE, BF16, CUBLAS, DEVICE_MEMORY, DEBUG, THREADS)),
          List.of(MachineKeys::checkDevice));

  /** What only a GPU does, with a device that is none. */
  private static void checkDevice(Values<Recipe> v) {
    Device device = v.find(DEVICE).orElseGet(Device.Auto::new);
    if (!(device instanceof Device.Cpu || device instanceof Device.Nd4j)) {
      return;
    }
    String needsGpu =
        "needs device: cuda, this recipe says device: "
            + DEVICE.type().plain(device)
            + "; remove it";
    if (v.is(BF16, AutoFlag.TRUE) && device instanceof Device.Nd4j) {
      v.problem(BF16, "true needs device: cuda or cpu, this recipe says device: nd4j; remove it");
    }
    if (v.find(CUBLAS).filter(Cublas.At.class::isInstance).isPresent()) {
      v.problem(CUBLAS, "a library " + needsGpu);
    }
    if (v.given(DEVICE_MEMORY) && !v.is(DEVICE_MEMORY, DeviceMemory.AUTO)) {
      v.problem(DEVICE_MEMORY, DEVICE_MEMORY.type().plain(v.get(DEVICE_MEMORY)) + " " + needsGpu);
    }
  }

  static Machine build(Values<Recipe> v) {
    return new Machine(
        v.get(DEVICE),
        v.get(BF16),
        v.get(CUBLAS),
        v.get(DEVICE_MEMORY),
        v.get(DEBUG),
        v.get(THREADS));
  }
}
