package dev.nibble.compute.files;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.safetensors.ShardedSafetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FolderLinksTest {
  @TempDir private Path folder;
  private Path model = Path.of("");
  private Path secret = Path.of("");

  @BeforeEach
  void make() throws IOException {
    model = Files.createDirectories(folder.resolve("model"));
    secret = Files.writeString(folder.resolve("secret"), "secret");
  }

  @Test
  void linksInsideAndToNothingAreNobodysBusiness() throws IOException {
    Files.writeString(model.resolve("a"), "");
    Files.createSymbolicLink(model.resolve("b"), Path.of("a"));
    Files.createSymbolicLink(model.resolve("dangling"), Path.of("nowhere"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), model);
    for (Path named : new Path[] {model, link, folder.resolve("missing")}) {
      assertThatCode(() -> FolderLinks.check(named)).doesNotThrowAnyException();
    }
  }

  @Test
  void aLinkOutIsRefused() throws IOException {
    Path out = Files.createSymbolicLink(model.resolve("chat_template.jinja"), secret);
    assertThatThrownBy(() -> FolderLinks.check(model))
        .isInstanceOf(UnsafeLink.class)
        .hasMessageContaining(out.getFileName() + " is a link to ")
        .hasMessageContaining("secret, outside its folder");
    assertThatThrownBy(() -> ShardedSafetensors.open(model)).isInstanceOf(UnsafeLink.class);
    Files.delete(out);
    Path nested = Files.createDirectories(model.resolve("templates"));
    Files.createSymbolicLink(nested.resolve("x"), Path.of("../../secret"));
    assertThatThrownBy(() -> FolderLinks.check(model)).isInstanceOf(UnsafeLink.class);
    Files.delete(nested.resolve("x"));
    Files.createSymbolicLink(nested.resolve("up"), folder);
    assertThatThrownBy(() -> FolderLinks.check(model)).isInstanceOf(UnsafeLink.class);
  }

  @Test
  void theCacheOfTheHubIsMadeOfLinks() throws IOException {
    Path repository = Files.createDirectories(folder.resolve("models--a--b"));
    Path blobs = Files.createDirectories(repository.resolve("blobs"));
    Files.writeString(blobs.resolve("1234"), "{}");
    Path snapshot = Files.createDirectories(repository.resolve("snapshots/main"));
    Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("../../blobs/1234"));
    assertThatCode(() -> FolderLinks.check(snapshot)).doesNotThrowAnyException();
    Files.createSymbolicLink(snapshot.resolve("other"), Path.of("../../../secret"));
    assertThatThrownBy(() -> FolderLinks.check(snapshot)).isInstanceOf(UnsafeLink.class);
  }
}
