package dev.nibble.trainer.run;

import dev.nibble.trainer.model.config.ModelFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Which file it was.
 *
 * @param name its path as the recipe gives it, or its name inside the folder that the recipe gives
 * @param bytes its size
 * @param sha256 in hexadecimal
 * @param sampled whether the hash is of 64 evenly spaced pieces of 1 MiB only, the first and the
 *     last included
 */
public record FileDigest(String name, long bytes, String sha256, boolean sampled) {
  private static final String WEIGHTS = ".safetensors";
  private static final int PIECE = 1 << 20;
  private static final int PIECES = 64;

  /**
   * Files above this size are sampled: reading 13 GB only to name them would take longer than
   * quantising them.
   */
  private static final long WHOLE = 1L << 28;

  /** The digest of one file. */
  public static FileDigest of(String name, Path file) throws IOException {
    return of(name, file, WHOLE);
  }

  static FileDigest of(String name, Path file, long whole) throws IOException {
    MessageDigest digest = newDigest();
    long size = Files.size(file);
    boolean sampled = size > Math.max(whole, (long) PIECES * PIECE);
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer piece = ByteBuffer.allocate(PIECE);
      long count = sampled ? PIECES : (size + PIECE - 1) / PIECE;
      for (long i = 0; i < count; i++) {
        read(channel, sampled ? (size - PIECE) * i / (PIECES - 1) : i * PIECE, piece);
        digest.update(piece);
      }
    }
    return new FileDigest(name, size, HexFormat.of().formatHex(digest.digest()), sampled);
  }

  /**
   * The digests of a model folder's configuration, tokenizer, chat template and weights, by name.
   */
  public static List<FileDigest> ofModel(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> entries = Files.list(folder)) {
      files =
          entries
              .filter(Files::isRegularFile)
              .filter(f -> isOfModel(String.valueOf(f.getFileName())))
              .sorted()
              .toList();
    }
    List<FileDigest> digests = new ArrayList<>();
    for (Path file : files) {
      digests.add(of(file.getFileName().toString(), file));
    }
    return digests;
  }

  private static boolean isOfModel(String name) {
    return name.equals(ModelFolder.CONFIG)
        || ModelFolder.companions().contains(name)
        || name.endsWith(WEIGHTS)
        || name.endsWith(WEIGHTS + ".index.json");
  }

  /** Whether it is a file of weights, and not what describes or reads them. */
  public boolean isWeights() {
    return name.endsWith(WEIGHTS);
  }

  private static void read(FileChannel channel, long position, ByteBuffer piece)
      throws IOException {
    piece.clear();
    while (piece.hasRemaining() && channel.read(piece, position + piece.position()) > 0) {
      // until the piece is full or the file ends
    }
    piece.flip();
  }

  /** A SHA-256, of whatever it is fed with. */
  public static MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
