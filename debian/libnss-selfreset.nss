group after=files selfreset
shadow after=files selfreset
