"""The other grammar, which reads any text and proves the first: what is untrue?"""
