package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.trainer.export.CheckpointSource;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Model folders for tests: the golden models with a small tokenizer. */
final class ModelFolders {
  static final JsonMapper JSON = JsonMapper.shared();

  private ModelFolders() {}

  /** The folder of a golden model, or of an adapter in it. */
  static Path golden(String name) {
    String given = System.getProperty("golden.dir", "");
    URL url = Objects.requireNonNull(ModelFolders.class.getResource("/golden"));
    try {
      Path root = given.isEmpty() ? Path.of(url.toURI()) : Path.of(given);
      return root.resolve("models").resolve(name);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A folder with a golden model's config.json, changed, and a tokenizer of 300 tokens. */
  static Path copy(String model, Path folder, Consumer<ObjectNode> change) throws IOException {
    ObjectNode config =
        (ObjectNode) JSON.readTree(Files.readString(golden(model).resolve("config.json")));
    change.accept(config);
    Files.writeString(folder.resolve("config.json"), config.toString());
    Files.writeString(folder.resolve("tokenizer.json"), byteLevel().toString());
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{'bos_token': '<s>', 'eos_token': {'content': '</s>'}}".replace('\'', '"'));
    return folder;
  }

  /** Exports a golden model whose folder {@link #copy} made. */
  static GgufReport export(String model, Path folder, Path out, GgufType type) {
    try (Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(1));
        ShardedSafetensors files = ShardedSafetensors.open(golden(model))) {
      CheckpointSource source = new CheckpointSource(files, Optional.empty(), kernels);
      return GgufModel.write(folder, source, out, type, (done, total) -> {});
    }
  }

  /** A GPT-2 tokenizer: unk, bos, eos, 256 letters, a few merges, and an added token. */
  static ObjectNode byteLevel() {
    ObjectNode json = object("{'normalizer': null, 'post_processor': null}");
    json.set(
        "pre_tokenizer",
        object("{'type': 'ByteLevel', 'add_prefix_space': false, 'use_regex': true}"));
    ObjectNode model = json.putObject("model");
    model.put("type", "BPE").put("ignore_merges", false);
    ObjectNode vocab = model.putObject("vocab");
    vocab.put("<unk>", 0).put("<s>", 1).put("</s>", 2);
    for (int i = 0; i < 256; i++) {
      vocab.put(String.valueOf((char) (0x100 + i)), 3 + i);
    }
    ArrayNode merges = model.putArray("merges");
    for (int i = 0; i < 40; i++) {
      String left = String.valueOf((char) (0x100 + i));
      vocab.put(left + left, 259 + i);
      if (i % 2 == 0) {
        merges.add(left + " " + left);
      } else {
        merges.addArray().add(left).add(left);
      }
    }
    ArrayNode added = json.putArray("added_tokens");
    added.add(object("{'id': 1, 'content': '<s>', 'special': true}"));
    added.add(object("{'id': 2, 'content': '</s>', 'special': true}"));
    added.add(object("{'id': 299, 'content': '<tool▁call>', 'special': false}"));
    return json;
  }

  static ObjectNode object(String json) {
    return (ObjectNode) JSON.readTree(json.replace('\'', '"'));
  }
}
