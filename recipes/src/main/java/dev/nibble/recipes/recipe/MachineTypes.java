package dev.nibble.recipes.recipe;

import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.recipes.recipe.Machine.Device;
import dev.nibble.recipes.schema.AutoFlag;
import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.KeyTypes;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import java.nio.file.Path;
import java.util.Optional;

/** Types of the keys about kernels and their options. */
final class MachineTypes {
  private MachineTypes() {}

  /** A {@link Device}. */
  record DeviceType() implements KeyType<Device> {
    @Override
    public String describe() {
      return Device.FORMS;
    }

    @Override
    public Optional<Device> read(Node node, String path, Problems problems) {
      String text = node instanceof Scalar s ? s.text() : "";
      Optional<Device> device = Device.parse(text);
      return device.isPresent()
          ? device
          : mismatch(node, path, problems, text.equals("gpu") ? "; did you mean cuda?" : "");
    }

    @Override
    public Object plain(Device value) {
      return value.toString();
    }
  }

  /** The dtype of activations, as whether it is bfloat16. */
  record Bf16Type() implements KeyType<Activations> {
    private static final KeyType<AutoFlag> FLAG = KeyTypes.autoFlag();

    @Override
    public String describe() {
      return FLAG.describe();
    }

    @Override
    public Optional<Activations> read(Node node, String path, Problems problems) {
      return FLAG.read(node, path, problems).map(Machine::activations);
    }

    @Override
    public Object plain(Activations value) {
      return switch (value) {
        case AUTO -> FLAG.plain(AutoFlag.AUTO);
        case BF16 -> FLAG.plain(AutoFlag.TRUE);
        case F32 -> FLAG.plain(AutoFlag.FALSE);
      };
    }
  }

  /** A {@link Cublas}. */
  record CublasType() implements KeyType<Cublas> {
    private static final KeyType<Path> PATH = KeyTypes.inputPath();

    @Override
    public String describe() {
      return "auto, none, or the path of the library";
    }

    @Override
    public Optional<Cublas> read(Node node, String path, Problems problems) {
      String text = node instanceof Scalar s ? s.text() : "";
      return text.isEmpty()
          ? mismatch(node, path, problems, "")
          : Cublas.named(text).or(() -> PATH.read(node, path, problems).map(Cublas.At::new));
    }

    @Override
    public Object plain(Cublas value) {
      return switch (value) {
        case Cublas.Auto a -> "auto";
        case Cublas.None n -> "none";
        case Cublas.At(Path library) -> PATH.plain(library);
      };
    }
  }
}
