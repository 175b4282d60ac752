/** Properties of the machine: memory, processor, disks. */
@NullMarked
package dev.nibble.api.machine;

import org.jspecify.annotations.NullMarked;
