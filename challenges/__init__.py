"""The challenges that ship with Assay: content only. No code of Assay imports from here."""
