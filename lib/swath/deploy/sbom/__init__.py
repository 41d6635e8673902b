"""The software bill of materials of an image: CycloneDX 1.6."""
