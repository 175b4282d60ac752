package dev.nibble.compute.safetensors;

import dev.nibble.compute.files.FolderLinks;
import dev.nibble.compute.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The tensors of a model folder: one {@code model.safetensors}, or several files and the {@code
 * model.safetensors.index.json} that says which tensor lies in which. It owns the files' mappings.
 */
public final class ShardedSafetensors implements StoredTensors, AutoCloseable {
  /** The file of a model that is in one piece. */
  public static final String SINGLE = "model.safetensors";

  /** The table of contents of a model in several files. */
  public static final String INDEX = "model.safetensors.index.json";

  private final Path folder;
  private final SequencedMap<String, SafetensorsFile> fileOf;
  private final Collection<SafetensorsFile> files;

  private ShardedSafetensors(
      Path folder,
      SequencedMap<String, SafetensorsFile> fileOf,
      Collection<SafetensorsFile> files) {
    this.folder = folder;
    this.fileOf = fileOf;
    this.files = files;
  }

  /**
   * Opens a model folder. Where it has both, {@value #SINGLE} is read and {@value #INDEX} is not.
   *
   * @throws MalformedSafetensors when the folder holds no model, or a file of it is missing or
   *     damaged
   * @throws dev.nibble.compute.files.UnsafeLink when a link in it leads out of it
   */
  public static ShardedSafetensors open(Path folder) {
    FolderLinks.check(folder);
    if (Files.isRegularFile(folder.resolve(SINGLE))) {
      SafetensorsFile file = Safetensors.open(folder.resolve(SINGLE));
      SequencedMap<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
      file.names().forEach(name -> fileOf.put(name, file));
      return new ShardedSafetensors(folder, fileOf, List.of(file));
    }
    Path index = folder.resolve(INDEX);
    if (!Files.isRegularFile(index)) {
      throw ModelFolder.withoutTensors(folder);
    }
    return openShards(folder, index, ShardIndex.read(folder, index));
  }

  /** True for a folder that holds tensors to {@link #open}. */
  public static boolean isIn(Path folder) {
    return Files.isRegularFile(folder.resolve(SINGLE))
        || Files.isRegularFile(folder.resolve(INDEX));
  }

  private static ShardedSafetensors openShards(Path folder, Path index, Map<String, Path> shardOf) {
    Map<Path, SafetensorsFile> files = new LinkedHashMap<>();
    try {
      SequencedMap<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
      shardOf.forEach((name, shard) -> {
        SafetensorsFile file = files.computeIfAbsent(shard, Safetensors::open);
        if (!file.has(name)) {
          throw new MalformedSafetensors(
              "%s places tensor '%s' in %s, which does not hold it"
                  .formatted(index, name, shard.getFileName()));
        }
        fileOf.put(name, file);
      });
      return new ShardedSafetensors(folder, fileOf, files.values());
    } catch (RuntimeException | Error e) {
      files.values().forEach(SafetensorsFile::close);
      throw e;
    }
  }

  /** The tensors' names, in the order of the header or the index. */
  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(fileOf.sequencedKeySet());
  }

  /**
   * The file that holds a tensor, for errors.
   *
   * @throws MalformedSafetensors when none does
   */
  public Path fileOf(String name) {
    return file(name).path();
  }

  @Override
  public String placeOf(String name) {
    return fileOf(name).toString();
  }

  /** True when the folder holds this tensor. */
  @Override
  public boolean has(String name) {
    return fileOf.containsKey(name);
  }

  /**
   * A read-only view of the mapped file that holds the tensor, see {@link SafetensorsFile#tensor}.
   *
   * @throws MalformedSafetensors when no file holds it
   */
  @Override
  public Tensor tensor(String name) {
    return file(name).tensor(name);
  }

  /** See {@link SafetensorsFile#unload}. */
  @Override
  public void unload(String name) {
    file(name).unload(name);
  }

  private SafetensorsFile file(String name) {
    SafetensorsFile file = fileOf.get(name);
    if (file == null) {
      throw new MalformedSafetensors(
          "model folder %s has no tensor '%s' among its %d".formatted(folder, name, fileOf.size()));
    }
    return file;
  }

  /** Unmaps all files. */
  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
