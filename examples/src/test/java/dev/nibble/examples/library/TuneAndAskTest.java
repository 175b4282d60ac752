package dev.nibble.examples.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TuneAndAskTest {
  @Test
  void answersWithACategory(@TempDir Path folder) {
    Path wordnet = Path.of(System.getProperty("nibble.root"), "examples", "wordnet");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      TuneAndAsk.main(new String[] {wordnet.toString(), folder.resolve("run").toString()});
    } finally {
      System.setOut(before);
    }
    List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines.getFirst()).contains("step=1,");
    assertThat(lines.getLast()).matches("(noun|verb|adj|adv)\\.[a-zA-Z]+");
    assertThat(folder.resolve("run/adapter_model.safetensors")).exists();
  }
}
