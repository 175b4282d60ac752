package dev.nibble.recipes.recipe;

import dev.nibble.recipes.recipe.Machine.Cublas;
import dev.nibble.recipes.recipe.Machine.Device;
import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.KeyTypes;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** Types of the keys of what computes. */
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
      return switch (value) {
        case Device.Auto a -> "auto";
        case Device.Cpu c -> "cpu";
        case Device.Nd4j n -> "nd4j";
        case Device.Cuda(OptionalInt index) ->
            index.isEmpty() ? "cuda" : "cuda:" + index.getAsInt();
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
      return switch (node instanceof Scalar s ? s.text() : "") {
        case "auto" -> Optional.of(new Cublas.Auto());
        case "none" -> Optional.of(new Cublas.None());
        case "" -> mismatch(node, path, problems, "");
        default -> PATH.read(node, path, problems).map(Cublas.At::new);
      };
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
