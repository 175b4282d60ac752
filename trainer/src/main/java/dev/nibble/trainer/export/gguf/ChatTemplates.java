package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.files.FileProblem;
import dev.nibble.trainer.export.ExportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** A folder's chat templates: those of tokenizer_config.json, overridden by chat_template.jinja. */
final class ChatTemplates {
  private static final String KEY = "tokenizer.chat_template";
  private static final String DEFAULT = "default";

  private ChatTemplates() {}

  static void add(Path folder, GgufMetadata metadata) {
    Map<String, String> templates = new LinkedHashMap<>();
    Optional<JsonFile> config = JsonFile.readIfPresent(folder.resolve("tokenizer_config.json"));
    JsonNode entry = config.map(c -> c.get("chat_template")).orElse(null);
    if (entry != null && entry.isString()) {
      templates.put(DEFAULT, entry.asString());
    } else if (entry != null) {
      for (JsonNode named : entry) {
        templates.put(named.path("name").asString(""), named.path("template").asString(""));
      }
    }
    Path file = folder.resolve("chat_template.jinja");
    if (Files.isRegularFile(file)) {
      templates.put(DEFAULT, read(file));
    }
    templates.forEach(
        (name, text) -> metadata.text(name.equals(DEFAULT) ? KEY : KEY + "." + name, text));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new ExportException("cannot read %s: %s".formatted(file, FileProblem.of(e)), e);
    }
  }
}
